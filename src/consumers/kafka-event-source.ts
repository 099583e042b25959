/**
 * The Kafka adapter of EventSource. The parts, in the way of a record:
 *
 * - group-consumer (Kafka room): the membership, and fetches for every partition with room;
 * - intake: buffers what was fetched and says whose turn it is;
 * - offset-ledger: knows what was handed out and resolved, hence what may be committed;
 * - commit-loop: commits that.
 */
import {
  GroupConsumer,
  type AssignmentChange,
  type Deleted,
  type Fetched,
} from '../kafka/group/group-consumer.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { CommitLoop } from './commit-loop.ts';
import type { Delivery, EventSource, SourceStatus } from './event-source.ts';
import { Intake, type PartitionIntake } from './intake.ts';
import {
  withDefaults,
  type GroupMember,
  type KafkaEventSourceOptions,
  type KafkaSettings,
} from './kafka-options.ts';
import { OffsetLedger, type Commit } from './offset-ledger.ts';
import { repeat, slept } from './repeat.ts';
import { Signal } from './signal.ts';
import { SoloRuns } from './solo-runs.ts';

export type { KafkaEventSourceOptions } from './kafka-options.ts';

const DRAIN_STEP_MS = 25;
/** How long a dying process tries to leave its note. */
const ACCUSE_TIMEOUT_MS = 5_000;

/** A source that knows what is to be noted beside a committed offset. */
export interface NotingEventSource extends EventSource {
  /** The metadata to commit with the next offset of a partition. */
  note(partition: number): string;
}

/** Reads a topic as a member of a consumer group. Nothing is connected before the first pull. */
export function createKafkaEventSource(options: KafkaEventSourceOptions): NotingEventSource {
  return new KafkaEventSource(withDefaults(options));
}

class KafkaEventSource implements NotingEventSource {
  readonly #settings: KafkaSettings;
  readonly #ledger = new OffsetLedger();
  readonly #intake: Intake;
  readonly #solo = new SoloRuns();
  readonly #commits: CommitLoop;
  readonly #consumer: GroupMember;
  readonly #closing = new AbortController();
  readonly #changed = new Signal();
  /** Handed out and not resolved, in epochs that go on. */
  readonly #outstanding = new Set<KafkaRecord>();
  /** Of those, the ones that wait for an absent dependency. */
  readonly #parked = new Set<KafkaRecord>();
  #end: { error: Error | undefined } | undefined;
  #closed: Promise<void> | undefined;
  #started = false;
  #assigned = false;
  /** Between the call for a rebalance and the new assignment nothing is handed out. */
  #rebalancing = false;
  #isWaited = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    const { topic, transactions, clock, logger, window } = settings;
    this.#intake = new Intake({
      maxBytes: settings.maxFetchBytes * 2,
      window,
      windowWhileParked: settings.windowWhileParked,
    });
    const create = settings.createConsumer ?? ((options) => new GroupConsumer(options));
    this.#consumer = create({
      ...settings,
      topics: [topic],
      handler: {
        onAssigned: (change) => this.#assign(change),
        onReady: ({ partition, ...known }) => {
          this.#ledger.begin(partition, known);
          this.#solo.open(partition, known.metadata);
        },
        onFetched: (fetched) => this.#fetched(fetched),
        onRebalancing: () => this.#drain(),
        onDeleted: (deleted) => this.#deleted(deleted),
        onThrottled: () => undefined,
        onFailure: (error) => this.#finish(error),
        roomFor: ({ partition }) => this.#intake.roomFor(partition),
        ...(transactions && {
          beforeReady: (partitions, others) =>
            transactions.acquire(
              partitions.map(({ partition }) => partition),
              others,
            ),
        }),
      },
    });
    this.#commits = new CommitLoop({
      ledger: this.#ledger,
      commit: (commits) => this.#commit(commits),
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
      const delivery = this.#next();
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

  async accuse(fault: string, records?: readonly KafkaRecord[]): Promise<void> {
    const { logger, topic } = this.#settings;
    const accused = records ?? [...this.#outstanding];
    const isAlone = this.#active <= 1;
    const byPartition = Map.groupBy(accused, ({ partition }) => partition);
    for (const [partition, each] of byPartition) {
      this.#solo.accuse(
        partition,
        each.map(({ offset }) => offset),
        { isAlone, fault },
      );
    }
    const commits = this.#ledger
      .progress()
      .filter(({ partition, position }) => byPartition.has(partition) && position >= 0)
      .map(({ partition, position: offset }) => ({
        topic,
        partition,
        offset,
        metadata: this.note(partition),
      }));
    if (commits.length === 0) return;
    const written = this.#settings.transactions
      ? this.#settings.transactions.note(commits)
      : this.#consumer.commit(commits);
    await this.#inTime(written, ACCUSE_TIMEOUT_MS).catch((error: unknown) => {
      logger?.warn({ err: error }, 'the suspects of this death could not be noted');
    });
  }

  status(): SourceStatus {
    const { topic } = this.#settings;
    for (const { partition, end } of this.#consumer.readings()) {
      if (end !== undefined) this.#ledger.observeEnd(partition, end);
    }
    return {
      alive: this.#end?.error === undefined && this.#closed === undefined,
      assigned: this.#assigned,
      paused: this.#end !== undefined || (!this.#isWaited && this.#intake.hasRecords),
      partitions: this.#ledger
        .progress()
        .map(({ partition, committed, lag }) => ({ topic, partition, committed, lag })),
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
    for (const { partition } of lost) this.#forget(partition);
    for (const { partition } of gained) {
      this.#ledger.assign([partition]);
      this.#intake.open(partition);
    }
    this.#assigned = true;
    this.#rebalancing = false;
    this.#changed.notify();
  }

  #forget(partition: number): void {
    this.#ledger.revoke([partition]);
    this.#intake.close(partition);
    this.#solo.close(partition);
    for (const record of this.#outstanding) {
      if (record.partition !== partition) continue;
      this.#outstanding.delete(record);
      this.#parked.delete(record);
    }
  }

  #fetched({ partition, records, bytes, next }: Fetched): void {
    const intake = this.#intake.get(partition);
    if (!intake) return;
    intake.push(records, bytes);
    // Markers and gaps behind the last record count once everything before them is resolved.
    if (records.length === 0 && intake.isEmpty) this.#ledger.advance(partition, next);
    else intake.next = next;
    this.#changed.notify();
  }

  /** How many records are at work. */
  get #active(): number {
    return this.#outstanding.size - this.#parked.size;
  }

  /** The offset to read on from is not in the log: retention has passed it, or the log ends before it. */
  #deleted({ partition, from, to }: Deleted): void {
    const { topic, logger } = this.#settings;
    if (to >= from) {
      logger?.error(
        { topic, partition, from, to, records: to - from },
        'retention has deleted records before they were read: going on at the beginning of the log',
      );
      this.#fetched({ topic, partition, records: [], bytes: 0, next: to });
      return;
    }
    logger?.error(
      { topic, partition, from, to },
      'the log ends before the offset to read on from (the topic was created again, or the log was cut back): reading it from its beginning',
    );
    // Offsets begin again, so what is committed from now on is lower than before.
    this.#forget(partition);
    this.#ledger.assign([partition]);
    this.#ledger.begin(partition, { committed: -1, start: to });
    this.#intake.open(partition);
  }

  #next(): Delivery | undefined {
    if (this.#rebalancing) return undefined;
    const gate = this.#solo.gate(this.#active, (partition) => this.#intake.head(partition));
    const intake = this.#intake.next(gate);
    const record = intake && this.#intake.take(intake);
    return record && this.#deliver(record, intake);
  }

  #deliver(record: KafkaRecord, intake: PartitionIntake): Delivery {
    const { partition, offset } = record;
    const resolve = this.#ledger.handOut(partition, offset);
    const epoch = this.#ledger.epochOf(partition);
    const suspicion = this.#solo.begin(record);
    const chargedMs = intake.costMs;
    this.#outstanding.add(record);
    if (intake.isEmpty && intake.next !== undefined) this.#ledger.advance(partition, intake.next);
    this.#consumer.nudge();
    return {
      record,
      suspicion,
      revoked: this.#ledger.revoked(partition),
      resolve: () => {
        if (!this.#outstanding.delete(record)) return;
        resolve();
        intake.outstanding -= 1;
        this.#solo.end(record);
        this.#changed.notify();
      },
      park: () => this.#park(record, intake),
      spent: (costMs) => this.#intake.spent(intake, chargedMs, costMs),
      rewind: () => this.#rewind(partition, epoch),
    };
  }

  #park(record: KafkaRecord, intake: PartitionIntake): () => void {
    if (!this.#outstanding.has(record)) return () => undefined;
    intake.parked += 1;
    this.#parked.add(record);
    this.#changed.notify();
    let isParked = true;
    return () => {
      if (!isParked) return;
      isParked = false;
      intake.parked -= 1;
      this.#parked.delete(record);
      this.#changed.notify();
    };
  }

  #rewind(partition: number, epoch: number | undefined): void {
    if (epoch === undefined || this.#ledger.epochOf(partition) !== epoch) return;
    const { topic, logger } = this.#settings;
    logger?.warn({ topic, partition }, 'reading a partition again from its committed offset');
    this.#forget(partition);
    this.#ledger.assign([partition]);
    this.#intake.open(partition);
    this.#consumer.rewind({ topic, partition });
  }

  /** Gives the records in flight a moment: what is committed now is not read twice by the next owner. */
  async #drain(): Promise<void> {
    const { clock, revokeDrainMs } = this.#settings;
    this.#rebalancing = true;
    const deadline = clock.elapsed() + revokeDrainMs;
    const { signal } = this.#closing;
    while (this.#active > 0 && clock.elapsed() < deadline) {
      if (!(await slept(clock, DRAIN_STEP_MS, signal))) return;
    }
    await this.#inTime(this.#commits.flush(), revokeDrainMs);
  }

  /** Waits for `work`, for `ms` at most; false when it was not done by then. */
  async #inTime(work: Promise<void>, ms: number): Promise<boolean> {
    const patience = new AbortController();
    const late = slept(this.#settings.clock, ms, patience.signal).then(() => false);
    return Promise.race([work.then(() => true), late]).finally(() => patience.abort());
  }

  async #commit(commits: readonly Commit[]): Promise<void> {
    const { topic } = this.#settings;
    await this.#consumer.commit(
      commits.map(({ partition, offset }) => ({
        topic,
        partition,
        offset,
        metadata: this.note(partition),
      })),
    );
  }

  note(partition: number): string {
    return this.#solo.note(partition);
  }

  /** The first end counts. */
  #finish(error: Error | undefined): void {
    this.#end ??= { error };
    this.#changed.notify();
  }

  async #close(): Promise<void> {
    const { closeTimeoutMs, logger, topic } = this.#settings;
    await this.stop();
    this.#closing.abort();
    const hasLeft = await this.#inTime(this.#leave(), closeTimeoutMs);
    if (!hasLeft) logger?.warn({ topic, closeTimeoutMs }, 'the broker did not let go in time');
    this.#ledger.revoke();
  }

  async #leave(): Promise<void> {
    await this.#commits.close();
    this.#ledger.revoke(); // from here on a late resolve has no effect
    await this.#consumer.close();
  }
}
