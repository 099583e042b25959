import { FairQueue } from '../fair-queue.ts';
import type { KafkaRecord } from '../kafka/record.ts';

/** A record that was fetched and not handed out. */
export interface WaitingRecord {
  record: KafkaRecord;
  /** Which of its partition's flows it belongs to; '' where the partition is one flow. */
  flow: string;
  /** Set when the ledger knows of it already: it may be handed out before older ones. */
  resolve?: (() => void) | undefined;
}

/** What waits of one partition. */
export interface WaitingRecords {
  /** The next one to hand out, which stays. */
  peek(): WaitingRecord | undefined;
  /** @param costMs - what it is taken to cost, charged to its flow */
  shift(costMs: number): WaitingRecord | undefined;
  /** Charges a flow with more, or less where it is negative. */
  charge(flow: string, costMs: number): void;
  /** Memory of what waits, in bytes. */
  readonly bytes: number;
}

/** What one fetch has brought; its memory is let go of when all of it was taken. */
interface Chunk {
  records: Iterator<KafkaRecord>;
  bytes: number;
}

/** In the order of offsets, decoded as they are taken. */
export class OrderedRecords implements WaitingRecords {
  readonly #chunks: Chunk[] = [];
  #head: WaitingRecord | undefined;
  bytes = 0;

  push(records: Iterable<KafkaRecord>, bytes: number): void {
    this.#chunks.push({ records: records[Symbol.iterator](), bytes });
    this.bytes += bytes;
  }

  peek(): WaitingRecord | undefined {
    while (this.#head === undefined && this.#chunks[0] !== undefined) {
      const { records, bytes } = this.#chunks[0];
      const next = records.next();
      if (next.done) {
        this.#chunks.shift();
        this.bytes -= bytes;
      } else {
        this.#head = { record: next.value, flow: '' };
      }
    }
    return this.#head;
  }

  shift(): WaitingRecord | undefined {
    const next = this.peek();
    this.#head = undefined;
    this.peek(); // lets go of a chunk that is used up
    return next;
  }

  charge(): void {
    // There is no other flow to share with.
  }
}

/** Flows in turn by what their records cost; each in the order of offsets. */
export class RecordsByFlow implements WaitingRecords {
  readonly #queue = new FairQueue<WaitingRecord & { bytes: number }>();
  readonly #isInOrder: () => boolean;
  #head: (WaitingRecord & { bytes: number }) | undefined;
  bytes = 0;

  /** @param isInOrder - true while the oldest record comes next, whichever flow it is of */
  constructor(isInOrder: () => boolean) {
    this.#isInOrder = isInOrder;
  }

  push(waiting: WaitingRecord, bytes: number): void {
    this.#queue.push(waiting.flow, { ...waiting, bytes });
    this.bytes += bytes;
  }

  peek(): WaitingRecord | undefined {
    this.#head ??= this.#isInOrder()
      ? this.#queue.shiftFirst((a, b) => a.record.offset - b.record.offset)
      : this.#queue.shift(0);
    return this.#head;
  }

  shift(costMs: number): WaitingRecord | undefined {
    this.peek();
    const next = this.#head;
    this.#head = undefined;
    if (!next) return undefined;
    this.bytes -= next.bytes;
    this.#queue.charge(next.flow, costMs);
    return next;
  }

  charge(flow: string, costMs: number): void {
    this.#queue.charge(flow, costMs);
  }
}
