import type { Expected } from './kind.ts';

export interface Planned {
  kind: string;
  expected: Expected;
}

/** What was published, by partition and offset. */
export class Plan {
  readonly #records = new Map<string, Planned>();
  /** Records that the broker refused, by kind. */
  readonly refused = new Map<string, number>();
  /** With which errors it did so; https://kafka.apache.org/protocol#protocol_error_codes */
  readonly refusals = new Map<string, Set<number>>();

  add(partition: number, baseOffset: number, records: readonly Planned[]): void {
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
