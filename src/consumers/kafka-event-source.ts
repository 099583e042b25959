/**
 * The Kafka adapter of EventSource. The parts, in the way of a record:
 *
 * - group-consumer (Kafka room): the membership, and fetches for every partition with room;
 * - lanes: says which lane's turn it is;
 * - holdings, one for each lane: buffers what was fetched, says which partition's turn it is (intake), and knows what
 *   was handed out and resolved, hence what may be committed (offset-ledger);
 * - commit-loop: commits that, of all lanes.
 */
import { keyOf } from '../kafka/by-topic.ts';
import {
  GroupConsumer,
  type AssignmentChange,
  type Deleted,
  type GroupHandler,
  type OffsetCommit,
  type TopicPartition,
} from '../kafka/group/group-consumer.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { CommitLoop } from './commit-loop.ts';
import type { Delivery, SourceStatus } from './event-source.ts';
import {
  withDefaults,
  type GroupMember,
  type KafkaEventSourceOptions,
  type KafkaSettings,
  type NotingEventSource,
} from './kafka-options.ts';
import { Lanes, type LaneCommit } from './lanes.ts';
import { repeat, slept } from './repeat.ts';
import { Signal } from './signal.ts';
import { Throttling } from './throttling.ts';

const DRAIN_STEP_MS = 25;
const RETENTION =
  'retention has deleted records before they were read: going on at the beginning of the log';
const CUT_BACK =
  'the log ends before the offset to read on from (the topic was created again, or the log was cut back): reading it from its beginning';
/** How long a dying process tries to leave its note. */
const ACCUSE_TIMEOUT_MS = 5_000;

/** Reads lanes as a member of a consumer group. Nothing is connected before the first pull. */
export function createKafkaEventSource(options: KafkaEventSourceOptions): NotingEventSource {
  return new KafkaEventSource(withDefaults(options));
}

class KafkaEventSource implements NotingEventSource {
  readonly #settings: KafkaSettings;
  readonly #lanes: Lanes;
  readonly #topics: readonly string[];
  readonly #commits: CommitLoop<LaneCommit>;
  readonly #consumer: GroupMember;
  readonly #closing = new AbortController();
  readonly #changed = new Signal();
  readonly #throttling: Throttling;
  #end: { error: Error | undefined } | undefined;
  #closed: Promise<void> | undefined;
  #started = false;
  #assigned = false;
  /** Between the call for a rebalance and the new assignment nothing is handed out. */
  #rebalancing = false;
  #isWaited = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    const { lanes, transactions, clock, logger, createConsumer } = settings;
    this.#topics = lanes.map(({ topic }) => topic);
    this.#throttling = new Throttling(clock, logger);
    this.#lanes = new Lanes({
      lanes,
      maxBytes: settings.maxFetchBytes * 2,
      window: settings.window,
      windowWhileParked: settings.windowWhileParked,
      onChange: () => this.#changed.notify(),
      onRoom: () => this.#consumer.nudge(),
      onRewind: (partition) => {
        logger?.warn({ ...partition }, 'reading a partition again from its committed offset');
        this.#consumer.rewind(partition);
      },
    });
    const options = { ...settings, topics: this.#topics, handler: this.#handler() };
    this.#consumer = createConsumer?.(options) ?? new GroupConsumer(options);
    this.#commits = new CommitLoop({
      ledger: this.#lanes,
      commit: (commits) => this.#consumer.commit(this.#noted(commits)),
      clock,
      intervalMs: settings.commitIntervalMs,
      transactional: transactions !== undefined,
      faults: settings.faults,
      logger,
    });
  }

  async *deliveries(): AsyncGenerator<Delivery> {
    this.#start();
    for (;;) {
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return;
      const delivery = this.#rebalancing ? undefined : this.#lanes.next();
      if (delivery) {
        yield delivery;
        continue;
      }
      this.#isWaited = true;
      await this.#changed.wait();
      this.#isWaited = false;
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port allows for sources that wait
  async stop(): Promise<void> {
    this.#finish(undefined);
    this.#consumer.stopFetching();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  note(partition: TopicPartition): string {
    return this.#lanes.note(partition);
  }

  async accuse(fault: string, records?: readonly KafkaRecord[]): Promise<void> {
    const { logger, transactions } = this.#settings;
    const commits = this.#noted(this.#lanes.accuse(fault, records));
    if (commits.length === 0) return;
    const written = transactions?.note(commits) ?? this.#consumer.commit(commits);
    await this.#inTime(written, ACCUSE_TIMEOUT_MS).catch((error: unknown) => {
      logger?.warn({ err: error }, 'the suspects of this death could not be noted');
    });
  }

  status(): SourceStatus {
    const readings = new Map(this.#consumer.readings().map((each) => [keyOf(each), each]));
    for (const { topic, partition, end } of readings.values()) {
      if (end !== undefined) this.#lanes.observeEnd({ topic, partition }, end);
    }
    return {
      alive: this.#end?.error === undefined && this.#closed === undefined,
      assigned: this.#assigned,
      paused: this.#end !== undefined || (!this.#isWaited && this.#lanes.hasRecords),
      throttledMs: this.#throttling.totalMs,
      partitions: this.#lanes
        .progress()
        .map(({ topic, partition, committed, position, lag, parked }) => {
          const { end, lastStable, openProducer } = readings.get(keyOf({ topic, partition })) ?? {};
          const held = { parked, end, lastStable, openProducer };
          return { topic, partition, committed, position, lag, ...held };
        }),
    };
  }

  #handler(): GroupHandler {
    const { transactions } = this.#settings;
    return {
      onAssigned: (change) => this.#assign(change),
      onReady: ({ topic, partition, ...known }) => this.#lanes.begin({ topic, partition }, known),
      onFetched: (fetched) => this.#lanes.fetched(fetched),
      onRebalancing: () => this.#drain(),
      onDeleted: (deleted) => this.#deleted(deleted),
      onThrottled: (throttleMs, nodeId) => this.#throttling.add(throttleMs, nodeId),
      onFailure: (error) => this.#finish(error),
      roomFor: (partition) => this.#lanes.roomFor(partition),
      ...(transactions && {
        beforeReady: (partitions, others) => transactions.acquire(partitions, others),
      }),
    };
  }

  #start(): void {
    if (this.#started || this.#end) return;
    this.#started = true;
    const { clock, lagIntervalMs: intervalMs, logger } = this.#settings;
    void this.#consumer.run();
    this.#commits.start();
    void repeat({ clock, intervalMs, signal: this.#closing.signal }, () =>
      this.#consumer.refreshEnds().catch((error: unknown) => {
        logger?.debug({ err: error }, 'asking for end offsets failed');
      }),
    );
  }

  #assign({ lost, gained }: AssignmentChange): void {
    for (const partition of lost) this.#lanes.close(partition);
    for (const partition of gained) this.#lanes.open(partition);
    this.#assigned = true;
    this.#rebalancing = false;
    this.#changed.notify();
  }

  /** The offset to read on from is not in the log: retention has passed it, or the log ends before it. */
  #deleted({ topic, partition, from, to }: Deleted): void {
    const { logger } = this.#settings;
    if (to >= from) {
      logger?.error({ topic, partition, from, to, records: to - from }, RETENTION);
      this.#lanes.fetched({ topic, partition, records: [], bytes: 0, next: to });
      return;
    }
    logger?.error({ topic, partition, from, to }, CUT_BACK);
    // Offsets begin again, so what is committed from now on is lower than before.
    this.#lanes.open({ topic, partition });
    this.#lanes.begin({ topic, partition }, { committed: -1, start: to, metadata: '' });
  }

  /** Gives the records in flight a moment: what is committed now is not read twice by the next owner. */
  async #drain(): Promise<void> {
    const { clock, revokeDrainMs } = this.#settings;
    this.#rebalancing = true;
    const deadline = clock.elapsed() + revokeDrainMs;
    while (this.#lanes.active > 0 && clock.elapsed() < deadline) {
      if (!(await slept(clock, DRAIN_STEP_MS, this.#closing.signal))) return;
    }
    await this.#inTime(this.#commits.flush(), revokeDrainMs);
  }

  /** Waits for `work`, for `ms` at most; false when it was not done by then. */
  async #inTime(work: Promise<void>, ms: number): Promise<boolean> {
    const patience = new AbortController();
    const late = slept(this.#settings.clock, ms, patience.signal).then(() => false);
    return Promise.race([work.then(() => true), late]).finally(() => patience.abort());
  }

  #noted(commits: readonly OffsetCommit[]): Array<Required<OffsetCommit>> {
    return commits.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset,
      metadata: this.note({ topic, partition }),
    }));
  }

  /** The first end counts. */
  #finish(error: Error | undefined): void {
    this.#end ??= { error };
    this.#changed.notify();
  }

  async #close(): Promise<void> {
    const { clock, closeTimeoutMs, logger } = this.#settings;
    const deadline = clock.elapsed() + closeTimeoutMs;
    await this.stop();
    this.#closing.abort();
    // Leaving gets its part of the time whatever has become of the commit.
    const hasCommitted = await this.#inTime(this.#commits.close(), closeTimeoutMs / 2);
    this.#lanes.revoke(); // from here on a late resolve has no effect
    const hasLeft = await this.#inTime(this.#consumer.close(), deadline - clock.elapsed());
    if (hasCommitted && hasLeft) return;
    logger?.warn(
      { topics: this.#topics, closeTimeoutMs },
      'the broker did not let go in time: the group gives the partitions to others when the session ends',
    );
  }
}
