import type { Expected } from './kind.ts';

export interface Planned {
  kind: string;
  expected: Expected;
}

/** What was published, by partition and offset. */
export class Plan {
  readonly #records = new Map<string, Planned>();
  /** The offset after the last record of each partition; markers and aborted records may follow. */
  readonly #ends = new Map<number, number>();
  /** Records that the broker refused, by kind. */
  readonly refused = new Map<string, number>();
  /** With which errors it did so; https://kafka.apache.org/protocol#protocol_error_codes */
  readonly refusals = new Map<string, Set<number>>();

  add(partition: number, baseOffset: number, records: readonly Planned[]): void {
    const end = baseOffset + records.length;
    this.#ends.set(partition, Math.max(end, this.#ends.get(partition) ?? 0));
    for (const [index, planned] of records.entries()) {
      this.#records.set(placeOf(partition, baseOffset + index), planned);
    }
  }

  refuse(records: readonly Planned[], errorCode: number): void {
    for (const { kind } of records) {
      this.refused.set(kind, (this.refused.get(kind) ?? 0) + 1);
      this.refusals.set(kind, (this.refusals.get(kind) ?? new Set()).add(errorCode));
    }
  }

  /** Offsets that the group still has to commit, where it has committed so far: those up to its last record. */
  uncommitted(partition: number, committed: number): number {
    return Math.max(0, (this.#ends.get(partition) ?? 0) - committed);
  }

  get(partition: number, offset: number): Planned | undefined {
    return this.#records.get(placeOf(partition, offset));
  }

  get size(): number {
    return this.#records.size;
  }

  [Symbol.iterator](): IterableIterator<[place: string, planned: Planned]> {
    return this.#records.entries();
  }
}

/** `<partition>/<offset>` */
export function placeOf(partition: number, offset: number): string {
  return `${partition}/${offset}`;
}
