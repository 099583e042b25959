import type { Fetched } from '../kafka/group/group-consumer.ts';
import type { TopicPartition } from '../kafka/by-topic.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import type { Delivery } from './event-source.ts';
import type { InHand } from './in-hand.ts';
import { Intake, type IntakeOptions, type PartitionIntake } from './intake.ts';
import { OffsetLedger, type PartitionProgress } from './offset-ledger.ts';
import type { SoloRuns } from './solo-runs.ts';
import { Sorter, type FlowOf } from './sorter.ts';
import { OrderedRecords, RecordsByFlow, type WaitingRecord } from './waiting-records.ts';

export interface HoldingsOptions extends IntakeOptions {
  topic: string;
  /** What shares a partition fairly, by name. @default nothing: it is read in the order of offsets */
  flowOf?: FlowOf | undefined;
  /** Shared by all lanes. */
  solo: SoloRuns;
  /** Shared by all lanes. */
  inHand: InHand;
  /** A record may be had now that could not be had before. */
  onChange: () => void;
  /** There is room for more records of a partition that had none. */
  onRoom: () => void;
  /** A partition is to be read again from its committed offset. */
  onRewind: (partition: TopicPartition) => void;
  /** The lane uses so many ms of what lanes share; negative: it has used less than was expected. */
  onCost: (costMs: number) => void;
}

/** The partitions of one lane that are ours: what was fetched of them, what is in hand, and what may be committed. */
export class Holdings {
  readonly ledger = new OffsetLedger();
  readonly #options: HoldingsOptions;
  readonly #intake: Intake;
  readonly #sorters = new WeakMap<PartitionIntake, Sorter>();

  constructor(options: HoldingsOptions) {
    this.#options = options;
    this.#intake = new Intake(options);
  }

  /** True while a fetched record waits. */
  get hasRecords(): boolean {
    return this.#intake.hasRecords;
  }

  /** How many partitions are ours. */
  get size(): number {
    return this.#intake.size;
  }

  /** Begins a new epoch of the partition, with nothing fetched. */
  open(partition: number): void {
    this.close(partition);
    this.ledger.assign([partition]);
    const { flowOf, solo, topic, window } = this.#options;
    if (!flowOf) {
      this.#intake.open(partition);
      return;
    }
    const waiting = new RecordsByFlow(
      // A crash repeats what was resolved before older ones; and suspects are looked for in order.
      () => this.ledger.ahead(partition) >= window || solo.isSuspected({ topic, partition }),
    );
    const intake = this.#intake.open(partition, waiting);
    this.#sorters.set(
      intake,
      new Sorter({
        flowOf,
        isOver: () => this.#intake.get(partition) !== intake,
        lend: ({ offset }) => this.ledger.handOut(partition, offset),
        onSorted: (record, bytes) => {
          waiting.push(record, bytes);
          intake.arrivingBytes -= bytes;
          this.#options.onChange();
        },
        onDone: (next) => this.ledger.advance(partition, next),
      }),
    );
  }

  /** Ends the epoch: nothing of the partition is handed out or committed any more. */
  close(partition: number): void {
    const { topic, solo, inHand } = this.#options;
    this.ledger.revoke([partition]);
    this.#intake.close(partition);
    solo.close({ topic, partition });
    inHand.forget({ topic, partition });
  }

  /** Says what the group has committed, and the note with it. */
  begin(partition: number, known: { committed: number; start: number; metadata: string }): void {
    const { topic, solo } = this.#options;
    this.ledger.begin(partition, known);
    solo.open({ topic, partition }, known.metadata);
  }

  roomFor(partition: number): number {
    return this.#intake.roomFor(partition);
  }

  progress(): Array<PartitionProgress & { topic: string; parked: number }> {
    const { topic } = this.#options;
    return this.ledger.progress().map((progress) => {
      return { topic, ...progress, parked: this.#intake.get(progress.partition)?.parked ?? 0 };
    });
  }

  fetched({ partition, records, bytes, next }: Omit<Fetched, 'topic'>): void {
    const intake = this.#intake.get(partition);
    if (!intake) return;
    intake.next = next;
    if (!(intake.waiting instanceof OrderedRecords)) {
      intake.arrivingBytes += bytes;
      this.#sorters.get(intake)?.add({ records, bytes, next });
      return;
    }
    intake.waiting.push(records, bytes);
    // Markers and gaps behind the last record count once everything before them is resolved.
    if (intake.isEmpty) this.ledger.advance(partition, next);
    this.#options.onChange();
  }

  /** The next record of a partition, if its window has room for it. */
  head(partition: number): KafkaRecord | undefined {
    return this.#intake.head(partition);
  }

  /** True while `next` would hand out a record. */
  isReady(isAllowed: (record: KafkaRecord) => boolean): boolean {
    return this.#intake.isReady(isAllowed);
  }

  /** The next record, of the partition whose turn it is; undefined when none may be handed out. */
  next(isAllowed: (record: KafkaRecord) => boolean): Delivery | undefined {
    const intake = this.#intake.next(isAllowed);
    if (!intake) return undefined;
    const hadRoom = this.roomFor(intake.partition) > 0;
    const chargedMs = intake.costMs;
    const waiting = this.#intake.take(intake);
    if (!waiting) return undefined;
    const delivery = this.#deliver(waiting, intake, chargedMs);
    if (!hadRoom && this.roomFor(intake.partition) > 0) this.#options.onRoom();
    return delivery;
  }

  #deliver(
    { record, flow, resolve: lent }: WaitingRecord,
    intake: PartitionIntake,
    chargedMs: number,
  ): Delivery {
    const { topic, partition, offset } = record;
    const { solo, inHand, onChange, onCost, onRewind } = this.#options;
    const resolve = lent ?? this.ledger.handOut(partition, offset);
    const epoch = this.ledger.epochOf(partition);
    inHand.add(record);
    onCost(chargedMs);
    const isLast = !lent && intake.isEmpty;
    if (isLast && intake.next !== undefined) this.ledger.advance(partition, intake.next);
    return {
      record,
      suspicion: solo.begin(record),
      revoked: this.ledger.revoked(partition),
      resolve: () => {
        if (!inHand.remove(record)) return;
        resolve();
        this.#intake.resolved(intake, record);
        solo.end(record);
        onChange();
      },
      park: () => inHand.park(record, intake, onChange),
      spent: (costMs) => {
        this.#intake.spent(intake, { flow, chargedMs, costMs });
        onCost(costMs - chargedMs);
      },
      rewind: () => {
        if (epoch === undefined || this.ledger.epochOf(partition) !== epoch) return;
        this.open(partition);
        onRewind({ topic, partition });
      },
    };
  }
}
