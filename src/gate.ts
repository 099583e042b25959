/**
 * Admits work up to a number of items and a weight, first come first served. One item is always admitted,
 * however heavy, so that nothing waits for ever.
 */
export class Gate {
  readonly #maxCount: number;
  readonly #maxWeight: number;
  readonly #waiting: Array<{ weight: number; admit: () => void }> = [];
  #count = 0;
  #weight = 0;

  constructor(maxCount: number, maxWeight = Number.POSITIVE_INFINITY) {
    this.#maxCount = maxCount;
    this.#maxWeight = maxWeight;
  }

  /** Items admitted and not yet left. */
  get count(): number {
    return this.#count;
  }

  /** Resolves when there is room; every `enter` needs one `leave` of the same weight. */
  async enter(weight = 0): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(weight)) {
      this.#take(weight);
      return;
    }
    await new Promise<void>((admit) => this.#waiting.push({ weight, admit }));
  }

  leave(weight = 0): void {
    this.#count -= 1;
    this.#weight -= weight;
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#fits(next.weight);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#take(next.weight);
      next.admit();
    }
  }

  #fits(weight: number): boolean {
    return (
      this.#count === 0 ||
      (this.#count < this.#maxCount && this.#weight + weight <= this.#maxWeight)
    );
  }

  #take(weight: number): void {
    this.#count += 1;
    this.#weight += weight;
  }
}
