import { FairTurns } from '../fair-turns.ts';
import type { KafkaRecord } from '../kafka/record.ts';

export interface IntakeOptions {
  /** Memory for records that wait, of all partitions together, in bytes. */
  maxBytes: number;
  /** How many partitions share that memory. @default those of this intake */
  sharers?: (() => number) | undefined;
  /** Records of one partition that may be handed out and not resolved. */
  window: number;
  /** The same while one of them is parked. */
  windowWhileParked: number;
}

/** What a record is taken to cost before any was measured, in ms of decoding and inference. */
const FIRST_COST_MS = 10;
/** A partition with large records would hardly move with less. */
const MIN_PARTITION_BYTES = 2 * 1024 * 1024;

/** What one fetch has brought; its memory is let go of when all of it was taken. */
interface Chunk {
  records: Iterator<KafkaRecord>;
  bytes: number;
}

/** Records of one partition that were fetched and not handed out. They are decoded as they are taken. */
export class PartitionIntake {
  readonly partition: number;
  readonly #chunks: Chunk[] = [];
  #head: KafkaRecord | undefined;
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
    return this.peek() === undefined;
  }

  /** The next record, which stays. */
  peek(): KafkaRecord | undefined {
    while (this.#head === undefined && this.#chunks[0] !== undefined) {
      const { records, bytes } = this.#chunks[0];
      const next = records.next();
      if (next.done) {
        this.#chunks.shift();
        this.bytes -= bytes;
      } else {
        this.#head = next.value;
      }
    }
    return this.#head;
  }

  push(records: Iterable<KafkaRecord>, bytes: number): void {
    this.#chunks.push({ records: records[Symbol.iterator](), bytes });
    this.bytes += bytes;
  }

  shift(): KafkaRecord | undefined {
    const next = this.peek();
    this.#head = undefined;
    this.peek(); // lets go of a chunk that is used up
    return next;
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

  /** How many partitions are open. */
  get size(): number {
    return this.#partitions.size;
  }

  /** Memory that more records of the partition may take now, in bytes; 0 while its buffer is more than half full. */
  roomFor(partition: number): number {
    const intake = this.#partitions.get(partition);
    if (!intake) return 0;
    const { maxBytes, sharers = () => this.size } = this.#options;
    const share = Math.max(MIN_PARTITION_BYTES, maxBytes / sharers());
    return intake.bytes > share / 2 ? 0 : share - intake.bytes;
  }

  /** True while `next` would choose a partition. */
  isReady(isAllowed: (record: KafkaRecord) => boolean): boolean {
    return this.#partitions.values().some((intake) => this.#mayTake(intake, isAllowed));
  }

  /** The partition whose turn it is; undefined when none has a record that may be handed out. */
  next(isAllowed: (record: KafkaRecord) => boolean = () => true): PartitionIntake | undefined {
    return this.#turns.next((intake) => this.#mayTake(intake, isAllowed));
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

  #mayTake(intake: PartitionIntake, isAllowed: (record: KafkaRecord) => boolean): boolean {
    const record = intake.peek();
    return record !== undefined && this.#hasWindow(intake) && isAllowed(record);
  }

  #hasWindow({ outstanding, parked }: PartitionIntake): boolean {
    const { window, windowWhileParked } = this.#options;
    return outstanding < (parked > 0 ? windowWhileParked : window);
  }
}
