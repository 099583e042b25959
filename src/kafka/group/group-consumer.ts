/**
 * A member of a consumer group on kafkajs' protocol layer (docs/adr/0020-group-consumer.md). Three things run
 * independently of each other: heartbeats, fetches (one request at a time for each broker), and what its user does
 * with the records. So no slow record, partition or throttled connection costs the membership.
 */
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { KafkaClient } from '../client.ts';
import { closeCluster, hangUp, openCluster, partitionsOf, type Cluster } from '../cluster.ts';
import { isTransient, kafkaError } from '../errors.ts';
import { keyOf, type PartitionStart, type TopicPartition } from './assignment.ts';
import { Coordinator } from './coordinator.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMembership, type AssignmentChange, type OffsetCommit } from './membership.ts';
import { Positions, type Committed } from './positions.ts';
import { Reading, type Fetched } from './reading.ts';

export type { AssignmentChange, OffsetCommit } from './membership.ts';
export type { Fetched } from './reading.ts';
export type { TopicPartition } from './assignment.ts';

/** A partition that can be read from now on. */
export interface ReadyPartition extends TopicPartition {
  /** What the group has committed; -1 when there is no commit. */
  committed: number;
  /** The note that was committed with it; empty where there is none. */
  metadata: string;
  /** Where reading begins. */
  start: number;
}

/** Records that retention has deleted before they were read. */
export interface Deleted extends TopicPartition {
  from: number;
  /** The offset after the last. */
  to: number;
}

/** What happens to a member; all calls but `onRebalancing` and `beforeReady` must return at once. */
export interface GroupHandler {
  onAssigned(change: AssignmentChange): void;
  onReady(ready: ReadyPartition): void;
  onFetched(fetched: Fetched): void;
  /** The group is about to be joined again. What is resolved when this settles is not read twice. */
  onRebalancing(): Promise<void>;
  onDeleted(deleted: Deleted): void;
  onThrottled(throttleMs: number, nodeId: number): void;
  /** The member cannot go on. */
  onFailure(error: Error): void;
  /** Memory that more records of the partition may take now, in bytes; 0 pauses it. */
  roomFor(partition: TopicPartition): number;
  /**
   * Awaited before committed offsets are asked for: fences off former owners. Tried again when it throws.
   * `others: 'release'` says that these are all that this member reads.
   */
  beforeReady?(partitions: readonly TopicPartition[], others: 'keep' | 'release'): Promise<void>;
}

export interface GroupConsumerOptions {
  kafka: KafkaClient;
  topics: readonly string[];
  groupId: string;
  instanceId?: string | undefined;
  startFrom: 'earliest' | 'latest';
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  heartbeatIntervalMs: number;
  maxWaitMs: number;
  maxFetchBytes: number;
  /** How often new partitions are looked for, in ms. */
  discoveryIntervalMs: number;
  clock: Clock;
  logger?: Logger | undefined;
  handler: GroupHandler;
}

const RETRY_MS = 1_000;
const OFFSET_OUT_OF_RANGE = 1;
const TOPIC_AUTHORIZATION_FAILED = 29;

export class GroupConsumer {
  readonly #options: GroupConsumerOptions;
  readonly #cluster: Cluster;
  readonly #positions: Positions;
  readonly #membership: GroupMembership;
  readonly #fetcher: Fetcher;
  readonly #closing = new AbortController();
  readonly #readings = new Map<string, Reading>();
  /** Where gained partitions without a commit begin, as the leader has found. */
  readonly #starts = new Map<string, number>();
  #partitionCount = 0;
  #confirmed = Promise.withResolvers<undefined>();
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
    const { kafka, topics, groupId, clock, logger, handler, startFrom } = options;
    const { signal } = this.#closing;
    const cluster = openCluster(kafka, options.discoveryIntervalMs);
    const coordinator = new Coordinator({ cluster, groupId, clock });
    this.#cluster = cluster;
    this.#positions = new Positions({ cluster, coordinator, clock, startFrom });
    this.#membership = new GroupMembership({
      ...options,
      cluster,
      coordinator,
      positions: this.#positions,
      signal,
      onRebalancing: () => handler.onRebalancing(),
      onAssigned: (change) => this.#assigned(change),
      onHeartbeat: () => this.#heard(),
    });
    this.#fetcher = new Fetcher({
      cluster,
      topics,
      maxWaitMs: options.maxWaitMs,
      maxFetchBytes: options.maxFetchBytes,
      roomFor: (partition) => handler.roomFor(partition),
      onFetched: (fetched) => handler.onFetched(fetched),
      onRefused: (reading, errorCode) => this.#refused(reading, errorCode),
      onThrottled: (throttleMs, nodeId) => handler.onThrottled(throttleMs, nodeId),
      onFailure: (error) => this.#fail(error),
      clock,
      logger,
      signal,
    });
  }

  /** Connects and joins; settles when the member is closed. Never rejects: `onFailure` is told. */
  run(): Promise<void> {
    return (this.#running ??= this.#run());
  }

  /** One attempt. Throws what the broker answers. */
  commit(commits: readonly OffsetCommit[]): Promise<void> {
    return this.#membership.commit(commits);
  }

  /** There is room for more records, or a partition is to be fetched that was not. */
  nudge(): void {
    this.#fetcher.nudge();
  }

  /**
   * Reads a partition again from its committed offset, once the group has confirmed that it is still this member's:
   * one that was dropped without knowing must not fence off the new owner.
   */
  rewind(partition: TopicPartition): void {
    const reading = this.#readings.get(keyOf(partition));
    if (!reading) return;
    const again = this.#read(partition);
    void this.#confirmed.promise.then(() => this.#prepare([again], 'keep'));
  }

  /** What is known of the partitions that are read. */
  readings(): readonly Readonly<Reading>[] {
    return [...this.#readings.values()];
  }

  /** Ends of the partitions that are not fetched now, for the lag. */
  async refreshEnds(): Promise<void> {
    const idle = this.readings().filter(({ isFetching }) => !isFetching);
    for (const { offset, ...partition } of await this.#positions.logEnds(idle)) {
      const reading = this.#readings.get(keyOf(partition));
      if (reading) reading.end = Math.max(reading.end ?? 0, offset);
    }
  }

  /** Nothing more is fetched or handed over; commits are still possible until `close`. */
  stopFetching(): void {
    for (const reading of this.#readings.values()) this.#fetcher.remove(reading);
  }

  /** Leaves the group and disconnects. What is under way is not waited for. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#running !== undefined && !this.#failed) {
      // A broker answers the requests of a connection in turn: leaving would wait for a join or a fetch.
      await hangUp(this.#cluster)
        .then(() => this.#membership.leave())
        .catch((error: unknown) => this.#debug(error, 'leaving the group failed'));
    }
    await closeCluster(this.#cluster).catch((error: unknown) =>
      this.#debug(error, 'disconnecting failed'),
    );
  }

  async #run(): Promise<void> {
    const { clock, topics } = this.#options;
    const { signal } = this.#closing;
    try {
      for (;;) {
        try {
          await this.#cluster.connect();
          await this.#cluster.addMultipleTargetTopics(topics);
          break;
        } catch (error) {
          if (signal.aborted || !isTransient(error)) throw error;
          this.#debug(error, 'connecting failed');
          await clock.sleep(RETRY_MS, signal);
        }
      }
      void this.#discover();
      await this.#membership.run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #assigned({ gained, kept, lost, ...rest }: AssignmentChange): void {
    const { handler, topics, logger } = this.#options;
    for (const partition of lost) {
      this.#readings.delete(keyOf(partition));
      this.#fetcher.remove(partition);
    }
    this.#starts.clear();
    for (const { offset, ...partition } of rest.starts) this.#starts.set(keyOf(partition), offset);
    this.#partitionCount = partitionsOf(this.#cluster, topics).length;
    handler.onAssigned({ gained, kept, lost, ...rest });
    const texts = (partitions: readonly TopicPartition[]): string[] => partitions.map(keyOf);
    logger?.info(
      { topics, partitions: texts([...kept, ...gained]), kept: kept.length, lost: texts(lost) },
      'partitions assigned',
    );
    const readings = gained.map((partition) => this.#read(partition));
    void this.#prepare(readings, kept.length === 0 ? 'release' : 'keep');
  }

  #read(partition: TopicPartition): Reading {
    const reading = new Reading(partition);
    this.#readings.set(keyOf(partition), reading);
    this.#fetcher.remove(partition);
    return reading;
  }

  #heard(): void {
    this.#confirmed.resolve(undefined);
    this.#confirmed = Promise.withResolvers();
  }

  /** Fences, asks for the committed offsets, commits where there is none, and begins to fetch. */
  async #prepare(readings: readonly Reading[], others: 'keep' | 'release'): Promise<void> {
    const { handler, clock } = this.#options;
    const { signal } = this.#closing;
    const current = (): Reading[] =>
      readings.filter((reading) => this.#readings.get(keyOf(reading)) === reading);
    let isFenced = handler.beforeReady === undefined;
    for (
      let mine = current();
      mine.length > 0 || (!isFenced && others === 'release');
      mine = current()
    ) {
      if (signal.aborted) return;
      try {
        if (!isFenced) await handler.beforeReady?.(mine, others);
        isFenced = true;
        if (mine.length > 0) await this.#begin(mine);
        return;
      } catch (error) {
        const known = kafkaError(error, "asking for the group's offsets");
        if (!isTransient(error) && !isTransient(known)) {
          this.#fail(known);
          return;
        }
        if (signal.aborted) return;
        this.#options.logger?.warn(
          { partitions: mine.map(keyOf), error: messageOf(known) },
          'taking over partitions failed: trying again',
        );
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #begin(readings: readonly Reading[]): Promise<void> {
    const committed = await this.#positions.committed(readings);
    const starts = new Map(
      (await this.#startsOf(committed)).map(({ offset, ...each }) => [keyOf(each), offset]),
    );
    await this.#commitStarts(committed, starts);
    for (const { topic, partition, offset, metadata } of committed) {
      const reading = readings.find((each) => keyOf(each) === keyOf({ topic, partition }));
      if (!reading || this.#readings.get(keyOf(reading)) !== reading) continue;
      const start = offset >= 0 ? offset : (starts.get(keyOf(reading)) ?? 0);
      reading.position = start;
      this.#options.handler.onReady({ topic, partition, committed: start, metadata, start });
      this.#fetcher.add(reading);
    }
  }

  /** The leader knows where partitions without a commit begin; a leader with other software says nothing of it. */
  async #startsOf(committed: readonly Committed[]): Promise<PartitionStart[]> {
    const without = committed.filter(({ offset }) => offset < 0);
    const told = without.flatMap(({ topic, partition }) => {
      const offset = this.#starts.get(keyOf({ topic, partition }));
      return offset === undefined ? [] : [{ topic, partition, offset }];
    });
    if (told.length === without.length) return told;
    return this.#positions.starts(partitionsOf(this.#cluster, this.#options.topics));
  }

  /** From now on a restart does not guess where to begin, and lag is right for an idle partition. */
  async #commitStarts(
    committed: readonly Committed[],
    starts: ReadonlyMap<string, number>,
  ): Promise<void> {
    const commits = committed.flatMap(({ topic, partition, offset }) => {
      const start = starts.get(keyOf({ topic, partition }));
      return offset >= 0 || start === undefined ? [] : [{ topic, partition, offset: start }];
    });
    if (commits.length > 0) await this.#membership.commit(commits);
  }

  /** Looks for new partitions: whoever sees them joins again, and the leader shares them out. */
  async #discover(): Promise<void> {
    const { clock, discoveryIntervalMs, topics, logger } = this.#options;
    const { signal } = this.#closing;
    for (;;) {
      await clock.sleep(discoveryIntervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#cluster.refreshMetadata();
        this.#fetcher.nudge();
        const count = partitionsOf(this.#cluster, topics).length;
        if (this.#partitionCount === 0 || count <= this.#partitionCount) continue;
        logger?.info(
          { topics, partitions: count, before: this.#partitionCount },
          'found new partitions',
        );
        this.#partitionCount = count;
        this.#membership.rejoin();
      } catch (error) {
        this.#debug(error, 'looking for new partitions failed');
      }
    }
  }

  #refused(reading: Reading, errorCode: number): void {
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      const position = reading.position ?? 0;
      reading.position = undefined;
      void this.#resume(reading, position);
      return;
    }
    const doing = `consuming ${keyOf(reading)}`;
    this.#fail(
      errorCode === TOPIC_AUTHORIZATION_FAILED
        ? kafkaError(protocolError('TOPIC_AUTHORIZATION_FAILED'), doing)
        : kafkaError(protocolError(`error ${errorCode}`), doing),
    );
  }

  /** Goes on where the log begins now, whatever `startFrom` says: what is still there is read. */
  async #resume(reading: Reading, from: number): Promise<void> {
    const { handler, clock } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted && this.#readings.get(keyOf(reading)) === reading) {
      try {
        const [start] = await this.#positions.logStarts([reading]);
        if (!start || this.#readings.get(keyOf(reading)) !== reading) return;
        const { topic, partition } = reading;
        handler.onDeleted({ topic, partition, from, to: start.offset });
        reading.position = start.offset;
        this.#fetcher.nudge();
        return;
      } catch (error) {
        this.#debug(error, 'asking for the beginning of a log failed');
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#failed || this.#closing.signal.aborted) return;
    this.#failed = true;
    this.#options.handler.onFailure(
      kafkaError(error, `consuming ${this.#options.topics.join(', ')}`),
    );
  }

  #debug(error: unknown, what: string): void {
    this.#options.logger?.debug({ error: messageOf(error) }, what);
  }
}

function protocolError(type: string): Error {
  return Object.assign(new Error(`the broker answered ${type}`), {
    name: 'KafkaJSProtocolError',
    type,
    retriable: false,
  });
}
