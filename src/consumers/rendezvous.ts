interface Taker<T> {
  resolve: (item: T | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Where one side hands items to the other, one at a time and nothing in between: an item is given only when
 * somebody waits for it, so that what was handed over is what was really taken.
 */
export class Rendezvous<T> {
  readonly #takers: Array<Taker<T>> = [];
  #whenWanted: PromiseWithResolvers<void> | undefined;
  #end: { error: unknown } | undefined;

  /** True while somebody waits. */
  isWanted(): boolean {
    return this.#takers.length > 0;
  }

  /** The next item; undefined once closed. Rejects with the error that it was failed with. */
  take(): Promise<T | undefined> {
    if (this.#end) return this.#ended(this.#end);
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
      this.nudge();
    });
  }

  /** Resolves when somebody waits, or when waiting for it should be thought over: at `nudge` and at the end. */
  whenWanted(): Promise<void> {
    if (this.isWanted() || this.#end) return Promise.resolve();
    this.#whenWanted ??= Promise.withResolvers();
    return this.#whenWanted.promise;
  }

  /** Hands `item` to whoever has waited longest. Only while `isWanted()`. */
  give(item: T): void {
    const taker = this.#takers.shift();
    if (!taker) throw new Error('giving an item that nobody waits for');
    taker.resolve(item);
  }

  /** Ends a wait for `whenWanted`, so that the waiter looks at the world again. */
  nudge(): void {
    this.#whenWanted?.resolve();
    this.#whenWanted = undefined;
  }

  close(): void {
    this.#finish({ error: undefined });
  }

  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** The first end counts. */
  #finish(end: { error: unknown }): void {
    if (this.#end) return;
    this.#end = end;
    for (const { resolve, reject } of this.#takers.splice(0)) {
      this.#ended(end).then(resolve, reject);
    }
    this.nudge();
  }

  #ended({ error }: { error: unknown }): Promise<undefined> {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
    return error === undefined ? Promise.resolve(undefined) : Promise.reject(error);
  }
}
