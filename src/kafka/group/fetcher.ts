import type { Clock } from '../../clock.ts';
import { AppError, messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { dropBroker, leadersOf, type Broker, type Cluster } from '../cluster.ts';
import { isTransient, kafkaError } from '../errors.ts';
import { within } from '../within.ts';
import { keyOf, type TopicPartition } from '../by-topic.ts';
import { fetchFrom, type FetchedPartition, type FetchTarget } from '../fetch-request.ts';
import { BrokerPace, SMALLEST_FETCH_BYTES } from './broker-pace.ts';
import { warnOfOversized } from './oversized.ts';
import type { Fetched, Reading } from './reading.ts';

export interface FetcherOptions {
  cluster: Cluster;
  topics: readonly string[];
  maxWaitMs: number;
  /** Of one answer, in bytes. */
  maxFetchBytes: number;
  /** Memory that more records of the partition may take now, in bytes; 0 pauses it. */
  roomFor: (partition: TopicPartition) => number;
  onFetched: (fetched: Fetched) => void;
  /** A partition answered with an error code that reading on does not mend. */
  onRefused: (reading: Reading, errorCode: number) => void;
  /** The broker asks this client to slow down, for that many ms. */
  onThrottled: (throttleMs: number, nodeId: number) => void;
  onFailure: (error: unknown) => void;
  clock: Clock;
  logger?: Logger | undefined;
  signal: AbortSignal;
}

/** Less would let a partition with large records hardly move. It is every Kafka client's default. */
const MIN_PARTITION_BYTES = 1024 * 1024;
/** Beyond the wait that was asked for, and beyond throttling. */
const ANSWER_TIMEOUT_MS = 10_000;
const IDLE_MS = 200;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
const REFRESH_EVERY_MS = 500;
/** How long a topic may be away, as while it is deleted and created again. */
const MISSING_TIMEOUT_MS = 20_000;
/** Between two attempts at a batch that exceeds the quota. */
const OVERSIZED_RETRY_MS = 30_000;

/** Error codes that new metadata mends: the leader has moved, or is being elected. */
const STALE_METADATA = new Set([3, 5, 6, 9, 56, 74, 76, 78]);

/** What is asked of a partition that is read. */
interface ReadingTarget extends FetchTarget {
  reading: Reading;
}

/** Fetches the partitions that are read from their leaders: one request at a time for each broker. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #readings = new Map<string, Reading>();
  readonly #loops = new Map<number, Promise<void>>();
  readonly #throttledUntil = new Map<number, number>();
  readonly #paces = new Map<number, BrokerPace>();
  #changed = Promise.withResolvers<undefined>();
  #refreshedAt = -Infinity;
  /** Since when a broker says that a topic is not there; undefined while it is. */
  #missingSince: number | undefined;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  add(reading: Reading): void {
    this.#readings.set(keyOf(reading), reading);
    this.nudge();
  }

  remove(partition: TopicPartition): void {
    this.#readings.delete(keyOf(partition));
  }

  /** Something can be fetched that could not be before. */
  nudge(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
    this.#startLoops();
  }

  /** Settles when no request is under way any more. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#loops.values());
  }

  #startLoops(): void {
    if (this.#options.signal.aborted) return;
    for (const nodeId of new Set(this.#leaders().values())) {
      if (nodeId < 0 || this.#loops.has(nodeId)) continue;
      const loop = this.#serve(nodeId)
        .catch((error: unknown) => this.#options.onFailure(error))
        .finally(() => this.#loops.delete(nodeId));
      this.#loops.set(nodeId, loop);
    }
  }

  /** By partition, the broker that leads it. */
  #leaders(): Map<string, number> {
    const { cluster, topics } = this.#options;
    const leaders = new Map<string, number>();
    for (const { leader, ...partition } of topics.flatMap((topic) => leadersOf(cluster, topic))) {
      const key = keyOf(partition);
      if (this.#readings.has(key)) leaders.set(key, leader);
    }
    return leaders;
  }

  async #serve(nodeId: number): Promise<void> {
    const { signal, clock, logger } = this.#options;
    const isOver = (): boolean => signal.aborted;
    let failures = 0;
    while (!isOver()) {
      const targets = this.#targetsOf(nodeId);
      if (targets.length === 0) {
        if (![...this.#leaders().values()].includes(nodeId)) return; // it leads none of ours any more
        await Promise.race([this.#changed.promise, clock.sleep(IDLE_MS, signal)]).catch(
          () => undefined,
        );
        continue;
      }
      for (const { reading } of targets) reading.isFetching = true;
      try {
        await this.#fetch(nodeId, targets);
        failures = 0;
      } catch (error) {
        if (isOver()) return;
        if (!isTransient(error)) throw error;
        failures += 1;
        logger?.debug({ nodeId, failures, error: messageOf(error) }, 'a fetch failed');
        const delay = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
        await clock.sleep(delay, signal).catch(() => undefined);
        await this.#refresh();
      } finally {
        for (const { reading } of targets) reading.isFetching = false;
      }
    }
  }

  /** The partition that was served longest ago comes first: a broker may have no room for more than one. */
  #targetsOf(nodeId: number): ReadingTarget[] {
    const { roomFor, maxFetchBytes, clock } = this.#options;
    const leaders = this.#leaders();
    let mine: Array<{ reading: Reading; offset: number; room: number }> = [];
    for (const [key, reading] of this.#readings) {
      if (leaders.get(key) !== nodeId || reading.isFetching) continue;
      const { position: offset, oversized } = reading;
      const room = offset === undefined ? 0 : roomFor(reading);
      if (offset === undefined || room <= 0) continue;
      if (oversized?.offset === offset) {
        if (clock.elapsed() < oversized.retryAt) continue;
        mine = [{ reading, offset, room }]; // alone: with others it would keep them from being answered
        break;
      }
      mine.push({ reading, offset, room });
    }
    const pace = this.#paceOf(nodeId);
    if (pace.isSingle) mine.splice(1);
    const share = Math.max(MIN_PARTITION_BYTES, Math.floor(maxFetchBytes / mine.length));
    return mine.map(({ reading, offset, room }) => {
      const fitting = Math.max(SMALLEST_FETCH_BYTES, Math.floor(room / reading.expansion));
      return {
        ...partitionOf(reading),
        reading,
        offset,
        maxBytes: Math.min(share, pace.bytes, fitting),
      };
    });
  }

  #paceOf(nodeId: number): BrokerPace {
    const pace = this.#paces.get(nodeId) ?? new BrokerPace(this.#options.maxFetchBytes);
    this.#paces.set(nodeId, pace);
    return pace;
  }

  async #fetch(nodeId: number, targets: readonly ReadingTarget[]): Promise<void> {
    const { cluster, maxWaitMs, clock, onThrottled } = this.#options;
    const throttledMs = Math.max(0, (this.#throttledUntil.get(nodeId) ?? 0) - clock.elapsed());
    const ms = throttledMs + maxWaitMs + ANSWER_TIMEOUT_MS;
    const doing = `fetching from broker ${nodeId}`;
    const broker = await within(cluster.findBroker({ nodeId }), { clock, ms, doing });
    const limits = { maxWaitMs, maxBytes: this.#paceOf(nodeId).bytes };
    const answer = await within(fetchFrom(broker, targets, limits), { clock, ms, doing }).catch(
      (error: unknown) => {
        if (isTransient(error)) dropBroker(cluster, broker);
        throw error;
      },
    );
    if (answer.throttleMs > 0) {
      this.#throttledUntil.set(nodeId, clock.elapsed() + answer.throttleMs);
      onThrottled(answer.throttleMs, nodeId);
    }
    const isEmpty = answer.partitions.every(({ bytes }) => bytes === 0);
    if (answer.throttleMs > 0 && isEmpty) this.#refused(broker, targets, answer.throttleMs);
    else this.#paceOf(nodeId).answered();
    let isStale = false;
    for (const each of answer.partitions) isStale = !this.#accept(each) || isStale;
    if (isStale) {
      await clock.sleep(FIRST_RETRY_MS, this.#options.signal).catch(() => undefined);
      await this.#refresh();
    }
  }

  /** The broker sends nothing because of the quota. */
  #refused(broker: Broker, targets: readonly ReadingTarget[], throttleMs: number): void {
    const { clock, logger } = this.#options;
    const [{ reading, offset } = {}, another] = targets;
    if (!reading || offset === undefined) return;
    const pace = this.#paceOf(broker.nodeId);
    const isKnown = reading.oversized?.offset === offset;
    if (!isKnown && (!pace.refused(clock.elapsed()) || another)) return;
    reading.oversized = { offset, retryAt: clock.elapsed() + OVERSIZED_RETRY_MS };
    if (isKnown) return;
    pace.turned();
    void warnOfOversized(broker, { ...partitionOf(reading), offset, throttleMs }, logger);
  }

  /** False when the metadata is stale. */
  #accept(answer: FetchedPartition<ReadingTarget>): boolean {
    const { target, errorCode, end, lastStable, records, bytes, wireBytes, next } = answer;
    const { reading, offset } = target;
    // It may have been taken away or set elsewhere since it was asked for.
    if (this.#readings.get(keyOf(reading)) !== reading || reading.position !== offset) return true;
    if (STALE_METADATA.has(errorCode)) return false;
    if (errorCode !== 0) {
      this.#options.onRefused(reading, errorCode);
      return true;
    }
    reading.end = end;
    reading.lastStable = lastStable;
    reading.observe({ wireBytes, bytes });
    reading.position = next;
    if (next > offset) this.#serveLast(reading);
    this.#options.onFetched({ ...partitionOf(reading), records, bytes, next });
    return true;
  }

  #serveLast(reading: Reading): void {
    const key = keyOf(reading);
    this.#readings.delete(key);
    this.#readings.set(key, reading);
  }

  /** Asks for metadata, at most every half second whatever the number of faults. */
  async #refresh(): Promise<void> {
    const { cluster, clock, logger } = this.#options;
    if (clock.elapsed() - this.#refreshedAt < REFRESH_EVERY_MS) return;
    this.#refreshedAt = clock.elapsed();
    try {
      await cluster.refreshMetadata();
      this.#missingSince = undefined;
    } catch (error) {
      logger?.debug({ error: messageOf(error) }, 'asking for metadata failed');
      this.#noteMissing(kafkaError(error, `consuming ${this.#options.topics.join(', ')}`));
    }
    this.#startLoops();
  }

  /** A topic that is created again soon is read on; one that stays away ends the process. */
  #noteMissing(error: Error): void {
    if (!(error instanceof AppError) || error.code !== 'topic_missing') return;
    const now = this.#options.clock.elapsed();
    this.#missingSince ??= now;
    if (now - this.#missingSince >= MISSING_TIMEOUT_MS) this.#options.onFailure(error);
  }
}

function partitionOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}
