/** Gives small numbers to what is rarely new, so that a row can name it in a byte. */
export class Numbering<T> {
  readonly #indices = new Map<string, number>();
  readonly #values: T[] = [];

  /** `make` is called when `key` is new. */
  indexOf(key: string, make: () => T): number {
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    const index = this.#values.push(make()) - 1;
    this.#indices.set(key, index);
    return index;
  }

  at(index: number): T {
    const value = this.#values[index];
    if (value === undefined) throw new RangeError(`nothing has the number ${index}`);
    return value;
  }

  values(): T[] {
    return [...this.#values];
  }
}
