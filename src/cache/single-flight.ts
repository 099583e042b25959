/**
 * Work with the same key that is wanted several times at once is done once: the first to come does it, those who
 * come while it lasts wait for its result. Nothing is remembered afterwards.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  /** Keys that are being worked on. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * What `work` comes to, done here or by whoever is at it already. When the other fails, this `work` is done after
   * all: the failure may have been the other's own, such as a partition that it lost. Rejects with the signal's
   * reason when it aborts while waiting for another; own work has to heed the signal itself.
   */
  async run(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#lead(key, work);
    const followed = await leaveOnAbort(
      flight.then(
        (value) => ({ value }),
        () => null,
      ),
      signal,
    );
    return followed ? followed.value : this.#lead(key, work);
  }

  /** Whoever comes later follows the first of those that are at it. */
  async #lead(key: string, work: () => Promise<T>): Promise<T> {
    const flight = work();
    if (this.#flights.has(key)) return flight;
    this.#flights.set(key, flight);
    try {
      return await flight;
    } finally {
      this.#flights.delete(key);
    }
  }
}

async function leaveOnAbort<T>(waited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return waited;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([waited, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
