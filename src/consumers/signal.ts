/** Wakes what waits for a change; what it waits for is looked at again after each. */
export class Signal {
  #next: PromiseWithResolvers<undefined> | undefined;

  /** Resolves at the next `notify`. */
  async wait(): Promise<void> {
    this.#next ??= Promise.withResolvers();
    await this.#next.promise;
  }

  notify(): void {
    this.#next?.resolve(undefined);
    this.#next = undefined;
  }
}
