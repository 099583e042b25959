import { FairTurns } from '../fair-turns.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { OrderedRecords, type WaitingRecord, type WaitingRecords } from './waiting-records.ts';

export interface IntakeOptions {
  /** Memory for records that wait, of all partitions together, in bytes. */
  maxBytes: number;
  /** How many partitions share that memory. @default those of this intake */
  sharers?: (() => number) | undefined;
  /** Records of one partition that may be handed out and not resolved. */
  window: number;
  /**
   * Bytes of their values, of all partitions together; one record of each may be handed out whatever its size.
   * @default unbounded
   */
  windowBytes?: number | undefined;
  /** The same while one of them is parked. */
  windowWhileParked: number;
}

/** What a record is taken to cost before any was measured, in ms of decoding and inference. */
const FIRST_COST_MS = 10;
/** A partition with large records would hardly move with less. */
const MIN_PARTITION_BYTES = 2 * 1024 * 1024;
const MIN_WINDOW_BYTES = 32 * 1024 * 1024;

/** Records of one partition that were fetched and not handed out, and what of it is in hand. */
export class PartitionIntake {
  readonly partition: number;
  readonly waiting: WaitingRecords;
  /** Memory of what was fetched and does not wait yet. */
  arrivingBytes = 0;
  /** The offset behind everything that was fetched, markers and gaps too. */
  next: number | undefined;
  /** Handed out and not resolved. */
  outstanding = 0;
  /** Bytes of their values. */
  outstandingBytes = 0;
  /** Of those, the ones that wait for an absent dependency. */
  parked = 0;
  /** What a record costs, in ms: moving average of what was measured. */
  costMs = FIRST_COST_MS;

  constructor(partition: number, waiting: WaitingRecords) {
    this.partition = partition;
    this.waiting = waiting;
  }

  get isEmpty(): boolean {
    return this.waiting.peek() === undefined;
  }

  /** Memory of what is not handed out. */
  get bytes(): number {
    return this.arrivingBytes + this.waiting.bytes;
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
  open(partition: number, waiting: WaitingRecords = new OrderedRecords()): PartitionIntake {
    this.close(partition);
    const intake = new PartitionIntake(partition, waiting);
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
    return intake && this.#hasWindow(intake) ? intake.waiting.peek()?.record : undefined;
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
    const share = Math.max(MIN_PARTITION_BYTES, this.#options.maxBytes / this.#sharers());
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
  take(intake: PartitionIntake): WaitingRecord | undefined {
    const waiting = intake.waiting.shift(intake.costMs);
    if (!waiting) return undefined;
    intake.outstanding += 1;
    intake.outstandingBytes += bytesOf(waiting.record);
    this.#turns.charge(intake, intake.costMs);
    return waiting;
  }

  /** Says that a record that was handed out is resolved. */
  resolved(intake: PartitionIntake, record: KafkaRecord): void {
    intake.outstanding -= 1;
    intake.outstandingBytes -= bytesOf(record);
  }

  /** Corrects what a record was charged with by what it has cost, in ms. */
  spent(
    intake: PartitionIntake,
    { flow, chargedMs, costMs }: { flow: string; chargedMs: number; costMs: number },
  ): void {
    this.#turns.charge(intake, costMs - chargedMs);
    intake.waiting.charge(flow, costMs - chargedMs);
    intake.costMs = intake.costMs * 0.9 + costMs * 0.1;
  }

  #mayTake(intake: PartitionIntake, isAllowed: (record: KafkaRecord) => boolean): boolean {
    if (!this.#hasWindow(intake)) return false;
    const waiting = intake.waiting.peek();
    return waiting !== undefined && isAllowed(waiting.record);
  }

  #hasWindow({ outstanding, outstandingBytes, parked }: PartitionIntake): boolean {
    const { window, windowWhileParked, windowBytes = Infinity } = this.#options;
    if (outstanding >= (parked > 0 ? windowWhileParked : window)) return false;
    const share = Math.max(MIN_WINDOW_BYTES, windowBytes / this.#sharers());
    return outstanding === 0 || outstandingBytes < share;
  }

  #sharers(): number {
    return this.#options.sharers?.() ?? this.size;
  }
}

function bytesOf({ value }: KafkaRecord): number {
  return value?.length ?? 0;
}
