interface Waiting {
  weight: number;
  admit: () => void;
}

/**
 * Admits work up to a number of items and a weight, first come first served. One item is always admitted,
 * however heavy, so that nothing waits for ever.
 *
 * Items inside can rest: they wait for something outside, perhaps for an item that wants to come back. They are not
 * counted, but their weight is. One that comes back is admitted before newcomers, and whatever it weighs while all
 * that are inside rest.
 */
export class Gate {
  readonly #maxCount: number;
  readonly #maxWeight: number;
  readonly #waiting: Waiting[] = [];
  readonly #returning: Waiting[] = [];
  #count = 0;
  #resting = 0;
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
    if (this.#waiting.length + this.#returning.length === 0 && this.#fits(weight)) {
      this.#take(weight);
      return;
    }
    await new Promise<void>((admit) => this.#waiting.push({ weight, admit }));
  }

  /** As `enter`, for an item that has left for a while. */
  async enterAgain(weight = 0): Promise<void> {
    if (this.#returning.length === 0 && this.#fitsAgain(weight)) {
      this.#take(weight);
      return;
    }
    await new Promise<void>((admit) => this.#returning.push({ weight, admit }));
  }

  leave(weight = 0): void {
    this.#count -= 1;
    this.#weight -= weight;
    this.#admit();
  }

  /** Says that one item inside waits for something outside; followed by `wake`, before it leaves. */
  rest(): void {
    this.#resting += 1;
    this.#admit();
  }

  wake(): void {
    this.#resting -= 1;
  }

  #admit(): void {
    this.#admitFrom(this.#returning, (weight) => this.#fitsAgain(weight));
    if (this.#returning.length > 0) return;
    this.#admitFrom(this.#waiting, (weight) => this.#fits(weight));
  }

  #admitFrom(queue: Waiting[], fits: (weight: number) => boolean): void {
    for (let next = queue[0]; next !== undefined && fits(next.weight); next = queue[0]) {
      queue.shift();
      this.#take(next.weight);
      next.admit();
    }
  }

  #fitsAgain(weight: number): boolean {
    return this.#fits(weight) || this.#resting >= this.#count;
  }

  #fits(weight: number): boolean {
    return (
      this.#count === 0 ||
      (this.#count - this.#resting < this.#maxCount && this.#weight + weight <= this.#maxWeight)
    );
  }

  #take(weight: number): void {
    this.#count += 1;
    this.#weight += weight;
  }
}
