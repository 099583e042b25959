import { systemClock, type Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { KafkaClient } from './client.ts';
import { openCluster } from './cluster.ts';
import { kafkaError, protocolError } from './errors.ts';
import { type FetchedPartition } from './fetch-partitions.ts';
import { mayPass, PartitionLeaders } from './partition-leaders.ts';
import type { OffsetRange, RangePositions } from './range-positions.ts';
import type { KafkaRecord } from './record.ts';

const STALL_TIMEOUT_MS = 90_000;
/** How long a topic may be unknown to a broker: metadata of a new topic spreads in moments. */
const MISSING_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const LEAST_ANSWER_TIMEOUT_MS = 5_000;
const MAX_WAIT_MS = 200;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
/** A round that brought nothing lasts at least so long: brokers that answer at once are not asked in a tight loop. */
const IDLE_ROUND_MS = 50;
/** Also how soon a partition that was added to a followed topic is found. */
const METADATA_MAX_AGE_MS = 30_000;
/** Bytes of one answer of one broker. Small records take a multiple of it in memory, as objects. */
const FETCH_BYTES = 1024 * 1024;
const OFFSET_OUT_OF_RANGE = 1;

export interface TopicReaderOptions {
  kafka: KafkaClient;
  /** One for a partition at most; empty ones are fine. A range up to Infinity is followed until the signal aborts. */
  ranges: readonly OffsetRange[];
  /** Awaited before the next record is handed over. An error that it throws ends the reading. */
  onRecord: (record: KafkaRecord) => void | Promise<void>;
  /** Everything of the partition before `next` was handed over, or is no committed record. */
  onPosition?: ((topic: string, partition: number, next: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /**
   * How long reading may stand still before it is given up, in ms: no range moves, or, where ranges are followed, a
   * broker does not answer. The broker holds back what lies behind an open transaction, into which a range that was
   * not made by `rangesOf` may reach. It aborts one whose producer has died after transaction.timeout.ms, by default
   * 60 s, and looks for such every 10 s: the default outlasts both.
   * @default 90000
   */
  stallTimeoutMs?: number | undefined;
  /** How long a broker waits for the first record, in ms. @default 200 */
  maxWaitMs?: number | undefined;
  clock?: Clock | undefined;
}

/**
 * Reads a bounded range of each partition, or follows partitions, straight from their leaders: without a consumer
 * group, so that no right to one is needed and none is left behind.
 */
export class TopicReader {
  readonly #options: TopicReaderOptions;
  readonly #positions: RangePositions;
  readonly #doing: string;
  readonly #follows: boolean;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #leaders: PartitionLeaders;
  #over = false;
  /** How often a position was moved. */
  #moves = 0;
  /** `onRecord` has thrown. */
  #isRefused = false;
  #movedAt: number;
  /** Why the last round failed. */
  #failure: Error | undefined;

  constructor(positions: RangePositions, options: TopicReaderOptions) {
    const topics = [...new Set(positions.open().map(({ topic }) => topic))];
    this.#options = options;
    this.#positions = positions;
    this.#doing = `reading ${topics.join(', ')}`;
    this.#follows = positions.open().some(({ to }) => to === Infinity);
    this.#clock = options.clock ?? systemClock;
    this.#stallMs = options.stallTimeoutMs ?? STALL_TIMEOUT_MS;
    this.#movedAt = this.#clock.elapsed();
    this.#leaders = new PartitionLeaders({
      cluster: openCluster(options.kafka, METADATA_MAX_AGE_MS),
      topics,
      clock: this.#clock,
      timeoutMs: Math.max(LEAST_ANSWER_TIMEOUT_MS, Math.min(ANSWER_TIMEOUT_MS, this.#stallMs)),
      doing: this.#doing,
    });
  }

  /**
   * Returns when every range is read to its end. Throws AppError `range_unreadable` when reading stands still,
   * `aborted`, `topic_missing`, `kafka_unauthorized` or `kafka_unavailable`, and what `onRecord` throws. Called once.
   */
  async read(): Promise<void> {
    const { signal } = this.#options;
    const stopped = Promise.withResolvers<never>();
    stopped.promise.catch(() => undefined); // may fail before anyone waits for it
    const abort = (): void => {
      this.#over = true;
      stopped.reject(new AppError('aborted', `${this.#doing}: stopped`));
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    try {
      await Promise.race([stopped.promise, this.#run()]);
    } catch (error) {
      throw this.#isRefused ? error : kafkaError(error, this.#doing);
    } finally {
      this.#over = true;
      signal?.removeEventListener('abort', abort);
      await this.#leaders.close();
    }
  }

  async #run(): Promise<void> {
    if (this.#over) return;
    let failures = 0;
    await this.#leaders.connect();
    while (!this.#isOver() && !this.#positions.done) {
      const startedAt = this.#clock.elapsed();
      const moves = this.#moves;
      const isGood = await this.#tryRound();
      if (this.#isOver()) return;
      this.#checkStall();
      failures = isGood ? 0 : failures + 1;
      if (!isGood) await this.#sleep(Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS));
      else if (this.#moves === moves)
        await this.#sleep(startedAt + IDLE_ROUND_MS - this.#clock.elapsed());
    }
  }

  /** False when part of it failed in a way that may pass. Throws any other error. */
  async #tryRound(): Promise<boolean> {
    try {
      await this.#round();
      this.#failure = undefined;
      return true;
    } catch (error) {
      if (this.#over || this.#isRefused || !mayPass(error)) throw error;
      this.#failure = kafkaError(error, this.#doing);
      await this.#leaders.locateAgain().catch((refusal: unknown) => {
        if (!mayPass(refusal)) throw refusal;
      });
      return false;
    }
  }

  /** Asks every leader once, and hands over what has come before it throws the error of one of them. */
  async #round(): Promise<void> {
    await this.#leaders.locate();
    if (this.#follows) this.#addPartitions();
    const { maxWaitMs = MAX_WAIT_MS } = this.#options;
    const positions = this.#positions
      .open()
      .map(({ topic, partition, next }) => ({ topic, partition, offset: next }));
    const { fetched, errors } = await this.#leaders.fetch(positions, {
      maxWaitMs,
      maxBytes: FETCH_BYTES,
    });
    for (const each of fetched) {
      if (each.errorCode === OFFSET_OUT_OF_RANGE) await this.#goToStart(each);
      else if (each.errorCode !== 0) errors.push(protocolError(each.errorCode));
      else await this.#accept(each);
    }
    if (errors.length > 0) throw errors.find((error) => !mayPass(error)) ?? errors[0];
    if (this.#follows) this.#moved(); // every leader has answered
  }

  #addPartitions(): void {
    for (const { topic, partition } of this.#leaders.partitions()) {
      if (this.#positions.openOf(topic, partition)) continue;
      this.#positions.add({ topic, partition, from: 0, to: Infinity });
    }
  }

  async #accept({ topic, partition, offset, records, next }: FetchedPartition): Promise<void> {
    for (const record of records) {
      const range = this.#positions.openOf(topic, partition);
      if (this.#isOver() || !range || record.offset >= range.to) break;
      await this.#handOver(record);
      this.#positions.advance(topic, partition, record.offset + 1);
      this.#moved();
    }
    if (this.#over || next === offset) return;
    this.#positions.advance(topic, partition, next);
    this.#moved();
    this.#moves += 1;
    this.#options.onPosition?.(topic, partition, next);
  }

  /** What `onRecord` throws is thrown as it is: it may look like an outage of the broker, and is not one. */
  async #handOver(record: KafkaRecord): Promise<void> {
    try {
      await this.#options.onRecord(record);
    } catch (error) {
      this.#isRefused = true;
      throw error;
    }
  }

  /** Retention has cut off what was asked for, or the topic was created again. */
  async #goToStart(position: FetchedPartition): Promise<void> {
    const { topic, partition, offset } = position;
    const start = await this.#leaders.startOf(position);
    if (start > offset) {
      this.#positions.advance(topic, partition, start);
    } else if (this.#follows) {
      this.#positions.add({ topic, partition, from: start, to: Infinity });
    } else {
      throw new AppError(
        'range_unreadable',
        `${this.#doing}: ${topic}/${partition} ends before offset ${offset}, which is within the range: the topic was created again or has lost records; begin again`,
      );
    }
    this.#moved();
    this.#moves += 1;
    this.#options.onPosition?.(topic, partition, start);
  }

  #moved(): void {
    this.#movedAt = this.#clock.elapsed();
    this.#failure = undefined;
  }

  /** A call, since the compiler takes a field for unchanged across an await. */
  #isOver(): boolean {
    return this.#over;
  }

  #checkStall(): void {
    const isMissing = this.#failure instanceof AppError && this.#failure.code === 'topic_missing';
    const patience = isMissing ? Math.min(MISSING_TIMEOUT_MS, this.#stallMs) : this.#stallMs;
    if (this.#positions.done || this.#clock.elapsed() - this.#movedAt < patience) return;
    if (this.#failure) throw this.#failure;
    const at = this.#positions
      .open()
      .map(({ topic, partition, next, to }) => `${topic}/${partition} at ${next} of ${to}`);
    throw new AppError(
      'range_unreadable',
      `${this.#doing}: nothing came for ${this.#stallMs / 1000} s (${at.join(', ')}); a transaction that is still open holds back what lies behind it: try again when its producer has ended it`,
    );
  }

  async #sleep(ms: number): Promise<void> {
    if (ms > 0) await this.#clock.sleep(ms, this.#options.signal).catch(() => undefined);
  }
}
