export interface OffsetRange {
  topic: string;
  partition: number;
  /** The first offset. */
  from: number;
  /** The offset after the last; Infinity where the partition is followed. */
  to: number;
}

/** A range that is not read to its end yet; `next` is the offset to go on with. */
export interface OpenRange extends OffsetRange {
  next: number;
}

/** How far each of several ranges has been read. */
export class RangePositions {
  readonly #open: Map<string, OpenRange>;

  /** `ranges`: one for a partition at most. */
  constructor(ranges: readonly OffsetRange[]) {
    this.#open = new Map(
      ranges
        .filter(({ from, to }) => from < to)
        .map((range) => [key(range.topic, range.partition), { ...range, next: range.from }]),
    );
  }

  get done(): boolean {
    return this.#open.size === 0;
  }

  open(): OpenRange[] {
    return [...this.#open.values()];
  }

  /** Undefined when the range is read to its end, and for a partition without a range. */
  openOf(topic: string, partition: number): Readonly<OpenRange> | undefined {
    return this.#open.get(key(topic, partition));
  }

  /** Opens a further range. */
  add(range: OffsetRange): void {
    this.#open.set(key(range.topic, range.partition), { ...range, next: range.from });
  }

  /** Says that everything before `next` is read. Never moves back. */
  advance(topic: string, partition: number, next: number): void {
    const range = this.#open.get(key(topic, partition));
    if (!range) return;
    range.next = Math.max(range.next, next);
    if (range.next >= range.to) this.#open.delete(key(topic, partition));
  }
}

function key(topic: string, partition: number): string {
  return `${topic}/${partition}`; // a topic's name has no slash
}
