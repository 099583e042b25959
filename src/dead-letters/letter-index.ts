import type { LetterPosition } from '../events/redrive-note.ts';
import { Numbering } from '../numbering.ts';

interface LetterKind {
  /** Of the letter's error; undefined when the letter cannot be decoded. */
  code: string | undefined;
  /** Where a redrive would write it; undefined when the letter cannot be decoded. */
  topic: string | undefined;
  /** Whether the letter holds its whole record. */
  isWhole: boolean;
}

export interface IndexedLetter extends LetterPosition, LetterKind {
  /** Milliseconds since the epoch. */
  failedAt: number;
  redriven: boolean;
}

/** The letters of one partition, by ascending offset: three numbers each. */
interface Column {
  offsets: number[];
  failedAts: number[];
  kinds: number[];
  redriven: Set<number>;
}

/** Where the letters of a topic lie and what is to be known of each before its value is read: some 30 bytes. */
export class LetterIndex {
  readonly #columns = new Map<number, Column>();
  readonly #kinds = new Numbering<LetterKind>();

  /** Offsets must ascend within a partition. */
  add({ partition, offset, failedAt, redriven, code, topic, isWhole }: IndexedLetter): void {
    const column = this.#column(partition);
    column.offsets.push(offset);
    column.failedAts.push(failedAt);
    const kind = { code, topic, isWhole };
    column.kinds.push(this.#kinds.indexOf(JSON.stringify(Object.values(kind)), () => kind));
    if (redriven) column.redriven.add(offset);
  }

  /** A position that no letter has is forgotten: the letter may be older than what is indexed. */
  markRedriven({ partition, offset }: LetterPosition): void {
    const column = this.#columns.get(partition);
    if (column && find(column.offsets, offset) !== -1) column.redriven.add(offset);
  }

  get({ partition, offset }: LetterPosition): IndexedLetter | undefined {
    const column = this.#columns.get(partition);
    const at = column ? find(column.offsets, offset) : -1;
    return column && at !== -1 ? this.#at(partition, column, at) : undefined;
  }

  /** By partition, by ascending offset. */
  *[Symbol.iterator](): Generator<IndexedLetter, undefined> {
    for (const [partition, column] of this.#columns) {
      for (let at = 0; at < column.offsets.length; at++) yield this.#at(partition, column, at);
    }
  }

  #at(partition: number, column: Column, at: number): IndexedLetter {
    const offset = column.offsets[at] as number;
    return {
      partition,
      offset,
      failedAt: column.failedAts[at] as number,
      redriven: column.redriven.has(offset),
      ...this.#kinds.at(column.kinds[at] as number),
    };
  }

  #column(partition: number): Column {
    const known = this.#columns.get(partition);
    if (known) return known;
    const column: Column = { offsets: [], failedAts: [], kinds: [], redriven: new Set() };
    this.#columns.set(partition, column);
    return column;
  }
}

/** Where `wanted` is in an ascending array; -1 where it is not. */
function find(ascending: readonly number[], wanted: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = ascending[middle] as number;
    if (value === wanted) return middle;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
