/**
 * A member of a consumer group on kafkajs' protocol layer (docs/adr/0024-group-consumer.md). Three things run
 * independently of each other: heartbeats, fetches (one request at a time for each broker), and what its user does
 * with the records. So no slow record, partition or throttled connection costs the membership.
 */
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { KafkaClient } from '../client.ts';
import { closeCluster, hangUp, openCluster, partitionsOf, type Cluster } from '../cluster.ts';
import { isTransient, kafkaError, protocolError } from '../errors.ts';
import { keyOf, type TopicPartition } from '../by-topic.ts';
import { askBeside } from './ask-beside.ts';
import { Coordinator } from './coordinator.ts';
import { Fetcher } from './fetcher.ts';
import type { AssignmentChange, GroupHandler, OffsetCommit } from './group-handler.ts';
import { GroupMembership } from './membership.ts';
import { Positions } from './positions.ts';
import { Reading } from './reading.ts';
import { Takeover } from './takeover.ts';

export type {
  AssignmentChange,
  Deleted,
  GroupHandler,
  OffsetCommit,
  ReadyPartition,
} from './group-handler.ts';
export type { Fetched } from './reading.ts';
export type { TopicPartition } from '../by-topic.ts';

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
/**
 * Of kafkajs, for connecting. Everything is tried again here anyway, so a broker that is back is not waited for by
 * kafkajs' back-off of up to 5 s.
 */
const CONNECTING = { initialRetryTime: 100, maxRetryTime: 300, retries: 2 };
const OFFSET_OUT_OF_RANGE = 1;

export class GroupConsumer {
  readonly #options: GroupConsumerOptions;
  readonly #cluster: Cluster;
  readonly #positions: Positions;
  readonly #membership: GroupMembership;
  readonly #fetcher: Fetcher;
  readonly #closing = new AbortController();
  readonly #readings = new Map<string, Reading>();
  readonly #takeover: Takeover;
  #partitionCount = 0;
  #confirmed = Promise.withResolvers<undefined>();
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
    const { kafka, topics, groupId, clock, logger, handler, startFrom } = options;
    const { signal } = this.#closing;
    const cluster = openCluster(kafka, options.discoveryIntervalMs, CONNECTING);
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
    this.#takeover = new Takeover({
      cluster,
      topics,
      positions: this.#positions,
      commit: (commits) => this.#membership.commit(commits),
      handler,
      isCurrent: (reading) => this.#readings.get(keyOf(reading)) === reading,
      onReady: (reading) => this.#fetcher.add(reading),
      onFailure: (error) => this.#fail(error),
      clock,
      logger,
      signal,
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
    void this.#confirmed.promise.then(() => this.#takeover.prepare([again], 'keep'));
  }

  /** What is known of the partitions that are read. */
  readings(): readonly Readonly<Reading>[] {
    return [...this.#readings.values()];
  }

  /** Asks for what fetches do not tell: the ends of idle partitions, for the lag, and who holds others back. */
  async refreshEnds(): Promise<void> {
    await askBeside(this.#positions, this.#readings);
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
    this.#takeover.told(rest.starts);
    this.#partitionCount = partitionsOf(this.#cluster, topics).length;
    handler.onAssigned({ gained, kept, lost, ...rest });
    const texts = (partitions: readonly TopicPartition[]): string[] => partitions.map(keyOf);
    logger?.info(
      { topics, partitions: texts([...kept, ...gained]), kept: kept.length, lost: texts(lost) },
      'partitions assigned',
    );
    const readings = gained.map((partition) => this.#read(partition));
    void this.#takeover.prepare(readings, kept.length === 0 ? 'release' : 'keep');
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
    const resource = { topic: reading.topic, operation: 'Read' } as const;
    this.#fail(kafkaError(protocolError(errorCode), doing, resource));
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
