import { setImmediate as nextTick } from 'node:timers/promises';
import type { KafkaRecord } from '../kafka/record.ts';
import type { WaitingRecord } from './waiting-records.ts';

/** Which flow of its partition a record belongs to. Never rejects. */
export type FlowOf = (record: KafkaRecord) => string | Promise<string>;

export interface SorterOptions {
  flowOf: FlowOf;
  /** True once another member reads the partition, or it is read again from the committed offset. */
  isOver: () => boolean;
  /** Tells the ledger of a record, in the order of offsets; returns what resolves it. */
  lend: (record: KafkaRecord) => () => void;
  /** @param bytes - memory of the record */
  onSorted: (waiting: WaitingRecord, bytes: number) => void;
  /** Everything before `next` was sorted. */
  onDone: (next: number) => void;
}

interface Chunk {
  records: Iterable<KafkaRecord>;
  bytes: number;
  next: number;
}

/** Looking for a flow may mean decoding an event: after so many, others have their turn. */
const AT_ONCE = 16;

/** Sorts what was fetched of one partition by flow, in the order of offsets. */
export class Sorter {
  readonly #options: SorterOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SorterOptions) {
    this.#options = options;
  }

  /** Sorts a chunk behind those before it. */
  add(chunk: Chunk): void {
    this.#last = this.#last.then(() => this.#sort(chunk));
  }

  async #sort({ records, bytes, next }: Chunk): Promise<void> {
    const { flowOf, isOver, lend, onSorted, onDone } = this.#options;
    const all = [...records];
    const share = bytes / Math.max(1, all.length);
    for (const [index, record] of all.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await nextTick();
      const flow = await flowOf(record);
      if (isOver()) return;
      onSorted({ record, flow, resolve: lend(record) }, share);
    }
    if (isOver()) return;
    onDone(next);
  }
}
