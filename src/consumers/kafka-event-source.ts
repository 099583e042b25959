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
  type Fetched,
} from '../kafka/group/group-consumer.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { within } from '../kafka/within.ts';
import { CommitLoop } from './commit-loop.ts';
import type { Delivery, SourceStatus } from './event-source.ts';
import { InHand } from './in-hand.ts';
import { Intake, type PartitionIntake } from './intake.ts';
import {
  withDefaults,
  type KafkaEventSourceOptions,
  type KafkaSettings,
  type NotingEventSource,
} from './kafka-options.ts';
import { OffsetLedger, type Commit } from './offset-ledger.ts';
import { repeat } from './repeat.ts';
import { Signal } from './signal.ts';
import { SoloRuns } from './solo-runs.ts';
import { Throttling } from './throttling.ts';

const DRAIN_STEP_MS = 25;
const RETENTION =
  'retention has deleted records before they were read: going on at the beginning of the log';
/** How long a dying process tries to leave its note. */
const ACCUSE_TIMEOUT_MS = 5_000;

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
  readonly #consumer: GroupConsumer;
  readonly #closing = new AbortController();
  readonly #changed = new Signal();
  readonly #inHand = new InHand();
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
    const { topic, transactions, clock, logger, window } = settings;
    this.#throttling = new Throttling(clock, logger);
    this.#intake = new Intake({
      maxBytes: settings.maxFetchBytes * 2,
      window,
      windowWhileParked: settings.windowWhileParked,
    });
    this.#consumer = new GroupConsumer({
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
        onDeleted: (deleted) => logger?.error({ ...deleted }, RETENTION),
        onThrottled: (throttleMs, nodeId) => this.#throttling.add(throttleMs, nodeId),
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
    const { clock, logger, topic, transactions } = this.#settings;
    const accused = records ?? this.#inHand.all();
    this.#solo.accuse(accused, { isAlone: this.#inHand.active <= 1, fault });
    const partitions = new Set(accused.map(({ partition }) => partition));
    const commits = this.#ledger
      .progress()
      .filter(({ partition, position }) => partitions.has(partition) && position >= 0)
      .map(({ partition, position: offset }) => {
        return { topic, partition, offset, metadata: this.note(partition) };
      });
    if (commits.length === 0) return;
    const written = transactions?.note(commits) ?? this.#consumer.commit(commits);
    await Promise.race([written, clock.sleep(ACCUSE_TIMEOUT_MS)]).catch((error: unknown) => {
      logger?.warn({ err: error }, 'the suspects of this death could not be noted');
    });
  }

  status(): SourceStatus {
    const { topic } = this.#settings;
    const readings = new Map(this.#consumer.readings().map((each) => [each.partition, each]));
    for (const { partition, end } of readings.values()) {
      if (end !== undefined) this.#ledger.observeEnd(partition, end);
    }
    return {
      alive: this.#end?.error === undefined && this.#closed === undefined,
      assigned: this.#assigned,
      paused: this.#end !== undefined || (!this.#isWaited && this.#intake.hasRecords),
      throttledMs: this.#throttling.totalMs,
      partitions: this.#ledger.progress().map(({ partition, committed, position, lag }) => ({
        topic,
        partition,
        committed,
        position,
        lag,
        parked: this.#intake.get(partition)?.parked ?? 0,
        end: readings.get(partition)?.end,
        lastStable: readings.get(partition)?.lastStable,
      })),
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
    this.#inHand.forget(partition);
  }

  #fetched({ partition, records, bytes, next }: Fetched): void {
    const intake = this.#intake.get(partition);
    if (!intake) return;
    intake.push(records, bytes);
    intake.next = next;
    // Markers and gaps behind the last record count once everything before them is resolved.
    if (intake.isEmpty) this.#ledger.advance(partition, next);
    this.#changed.notify();
  }

  #next(): Delivery | undefined {
    if (this.#rebalancing) return undefined;
    const gate = this.#solo.gate(this.#inHand.active, (partition) =>
      this.#intake.get(partition)?.peek(),
    );
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
    this.#inHand.add(record);
    if (intake.isEmpty && intake.next !== undefined) this.#ledger.advance(partition, intake.next);
    this.#consumer.nudge();
    return {
      record,
      suspicion,
      revoked: this.#ledger.revoked(partition),
      resolve: () => {
        if (!this.#inHand.remove(record)) return;
        resolve();
        intake.outstanding -= 1;
        this.#solo.end(record);
        this.#changed.notify();
      },
      park: () => this.#inHand.park(intake, () => this.#changed.notify()),
      spent: (costMs) => this.#intake.spent(intake, chargedMs, costMs),
      rewind: () => this.#rewind(partition, epoch),
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
    while (this.#inHand.active > 0 && clock.elapsed() < deadline) {
      await clock.sleep(DRAIN_STEP_MS);
    }
    await Promise.race([this.#commits.flush(), clock.sleep(revokeDrainMs)]);
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
    const { clock, closeTimeoutMs: ms, logger, topic } = this.#settings;
    await this.stop();
    this.#closing.abort();
    await within(this.#leave(), { clock, ms, doing: 'leaving the group' }).catch(() =>
      logger?.warn({ topic, closeTimeoutMs: ms }, 'the broker did not let go in time'),
    );
    this.#ledger.revoke();
  }

  async #leave(): Promise<void> {
    await this.#commits.close();
    this.#ledger.revoke(); // from here on a late resolve has no effect
    await this.#consumer.close();
  }
}
