import { FairTurns } from '../fair-turns.ts';
import type { KafkaRecord } from '../kafka/record.ts';

export interface IntakeOptions {
  /** Memory for records that wait, of all partitions together, in bytes. */
  maxBytes: number;
  /** Records of one partition that may be handed out and not resolved. */
  window: number;
  /** The same while one of them is parked. */
  windowWhileParked: number;
}

/** What a record is taken to cost before any was measured, in ms of decoding and inference. */
const FIRST_COST_MS = 10;
/** A partition with large records would hardly move with less. */
const MIN_PARTITION_BYTES = 2 * 1024 * 1024;

/** Records of one partition that were fetched and not handed out. */
interface Waiting {
  record: KafkaRecord;
  bytes: number;
}

export class PartitionIntake {
  readonly partition: number;
  readonly #waiting: Waiting[] = [];
  #head = 0;
  /** Memory of what waits. */
  bytes = 0;
  /** The offset behind everything that was fetched, markers and gaps too. */
  next: number | undefined;
  /** Handed out and not resolved. */
  outstanding = 0;
  /** Of those, the ones that wait for an absent dependency. */
  parked = 0;
  /** What a record costs, in ms: moving average of what was measured. */
  costMs = FIRST_COST_MS;

  constructor(partition: number) {
    this.partition = partition;
  }

  get isEmpty(): boolean {
    return this.#head >= this.#waiting.length;
  }

  peek(): KafkaRecord | undefined {
    return this.#waiting[this.#head]?.record;
  }

  push(records: readonly KafkaRecord[], bytes: number): void {
    const each = records.length > 0 ? bytes / records.length : 0;
    for (const record of records) this.#waiting.push({ record, bytes: each });
    this.bytes += bytes;
  }

  shift(): KafkaRecord | undefined {
    const next = this.#waiting[this.#head];
    if (!next) return undefined;
    this.#head += 1;
    this.bytes -= next.bytes;
    if (this.isEmpty) {
      this.#waiting.length = 0;
      this.#head = 0;
      this.bytes = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    return next.record;
  }
}

/**
 * Fetched records, one bounded buffer for each partition, and whose turn it is: partitions share the machine by what
 * their records cost. A partition whose records are all in hand or parked is passed over.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #partitions = new Map<number, PartitionIntake>();
  readonly #turns = new FairTurns<PartitionIntake>();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Begins with an empty buffer, also for a partition that has one. */
  open(partition: number): PartitionIntake {
    this.close(partition);
    const intake = new PartitionIntake(partition);
    this.#partitions.set(partition, intake);
    this.#turns.add(intake);
    return intake;
  }

  close(partition: number): void {
    const intake = this.#partitions.get(partition);
    if (!intake) return;
    this.#partitions.delete(partition);
    this.#turns.remove(intake);
  }

  get(partition: number): PartitionIntake | undefined {
    return this.#partitions.get(partition);
  }

  /** The next record of a partition, if its window has room for it. */
  head(partition: number): KafkaRecord | undefined {
    const intake = this.#partitions.get(partition);
    return intake && this.#hasWindow(intake) ? intake.peek() : undefined;
  }

  /** True while a fetched record waits. */
  get hasRecords(): boolean {
    return this.#partitions.values().some((intake) => !intake.isEmpty);
  }

  /** Memory that more records of the partition may take now, in bytes; 0 while its buffer is more than half full. */
  roomFor(partition: number): number {
    const intake = this.#partitions.get(partition);
    if (!intake) return 0;
    const share = Math.max(MIN_PARTITION_BYTES, this.#options.maxBytes / this.#partitions.size);
    return intake.bytes > share / 2 ? 0 : share - intake.bytes;
  }

  /** The partition whose turn it is; undefined when none has a record that may be handed out. */
  next(isAllowed: (record: KafkaRecord) => boolean = () => true): PartitionIntake | undefined {
    return this.#turns.next((intake) => {
      const record = intake.peek();
      return record !== undefined && this.#hasWindow(intake) && isAllowed(record);
    });
  }

  /** Hands out the next record of a partition and charges what it will cost, as far as is known. */
  take(intake: PartitionIntake): KafkaRecord | undefined {
    const record = intake.shift();
    if (!record) return undefined;
    intake.outstanding += 1;
    this.#turns.charge(intake, intake.costMs);
    return record;
  }

  /** Corrects what a record was charged with by what it has cost, in ms. */
  spent(intake: PartitionIntake, chargedMs: number, costMs: number): void {
    this.#turns.charge(intake, costMs - chargedMs);
    intake.costMs = intake.costMs * 0.9 + costMs * 0.1;
  }

  #hasWindow({ outstanding, parked }: PartitionIntake): boolean {
    const { window, windowWhileParked } = this.#options;
    return outstanding < (parked > 0 ? windowWhileParked : window);
  }
}
