import type { Fetched } from '../kafka/group/group-consumer.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import type { Delivery } from './event-source.ts';
import { InHand } from './in-hand.ts';
import { Intake, type IntakeOptions, type PartitionIntake } from './intake.ts';
import { OffsetLedger, type Commit } from './offset-ledger.ts';
import { SoloRuns } from './solo-runs.ts';

export interface HoldingsOptions extends IntakeOptions {
  /** A record may be had now that could not be had before. */
  onChange: () => void;
  /** There is room for more records of a partition that had none. */
  onRoom: () => void;
  /** A partition is to be read again from its committed offset. */
  onRewind: (partition: number) => void;
}

/** The partitions that are ours: what was fetched of them, what is in hand, and what may be committed. */
export class Holdings {
  readonly ledger = new OffsetLedger();
  readonly #options: HoldingsOptions;
  readonly #intake: Intake;
  readonly #solo = new SoloRuns();
  readonly #inHand = new InHand();

  constructor(options: HoldingsOptions) {
    this.#options = options;
    this.#intake = new Intake(options);
  }

  /** Records that are being worked on: the parked ones wait. */
  get active(): number {
    return this.#inHand.active;
  }

  /** True while a fetched record waits. */
  get hasRecords(): boolean {
    return this.#intake.hasRecords;
  }

  /** Begins a new epoch of the partition, with nothing fetched. */
  open(partition: number): void {
    this.close(partition);
    this.ledger.assign([partition]);
    this.#intake.open(partition);
  }

  /** Ends the epoch: nothing of the partition is handed out or committed any more. */
  close(partition: number): void {
    this.ledger.revoke([partition]);
    this.#intake.close(partition);
    this.#solo.close(partition);
    this.#inHand.forget(partition);
  }

  /** Says what the group has committed, and the note with it. */
  begin(partition: number, known: { committed: number; start: number; metadata: string }): void {
    this.ledger.begin(partition, known);
    this.#solo.open(partition, known.metadata);
  }

  roomFor(partition: number): number {
    return this.#intake.roomFor(partition);
  }

  parked(partition: number): number {
    return this.#intake.get(partition)?.parked ?? 0;
  }

  fetched({ partition, records, bytes, next }: Omit<Fetched, 'topic'>): void {
    const intake = this.#intake.get(partition);
    if (!intake) return;
    intake.push(records, bytes);
    intake.next = next;
    // Markers and gaps behind the last record count once everything before them is resolved.
    if (intake.isEmpty) this.ledger.advance(partition, next);
    this.#options.onChange();
  }

  /** The next record, of the partition whose turn it is; undefined when none may be handed out. */
  next(): Delivery | undefined {
    const gate = this.#solo.gate(this.active, (partition) => this.#intake.head(partition));
    const intake = this.#intake.next(gate);
    if (!intake) return undefined;
    const hadRoom = this.roomFor(intake.partition) > 0;
    const record = this.#intake.take(intake);
    if (!record) return undefined;
    const delivery = this.#deliver(record, intake);
    if (!hadRoom && this.roomFor(intake.partition) > 0) this.#options.onRoom();
    return delivery;
  }

  /** What is to be committed with the partition's next offset. */
  note(partition: number): string {
    return this.#solo.note(partition);
  }

  /** Adds one more death at each of `records`, or at all in hand; what is to be committed again with its note. */
  accuse(fault: string, records: readonly KafkaRecord[] = this.#inHand.all()): Commit[] {
    this.#solo.accuse(records, { isAlone: this.active <= 1, fault });
    const accused = new Set(records.map(({ partition }) => partition));
    return this.ledger
      .progress()
      .filter(({ partition, position }) => accused.has(partition) && position >= 0)
      .map(({ partition, position: offset }) => {
        return { partition, offset, epoch: this.ledger.epochOf(partition) ?? 0 };
      });
  }

  #deliver(record: KafkaRecord, intake: PartitionIntake): Delivery {
    const { partition, offset } = record;
    const { onChange } = this.#options;
    const resolve = this.ledger.handOut(partition, offset);
    const epoch = this.ledger.epochOf(partition);
    const chargedMs = intake.costMs;
    this.#inHand.add(record);
    if (intake.isEmpty && intake.next !== undefined) this.ledger.advance(partition, intake.next);
    return {
      record,
      suspicion: this.#solo.begin(record),
      revoked: this.ledger.revoked(partition),
      resolve: () => {
        if (!this.#inHand.remove(record)) return;
        resolve();
        intake.outstanding -= 1;
        this.#solo.end(record);
        onChange();
      },
      park: () => this.#inHand.park(record, intake, onChange),
      spent: (costMs) => this.#intake.spent(intake, chargedMs, costMs),
      rewind: () => {
        if (epoch === undefined || this.ledger.epochOf(partition) !== epoch) return;
        this.open(partition);
        this.#options.onRewind(partition);
      },
    };
  }
}
