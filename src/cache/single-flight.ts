import { AppError } from '../errors.ts';

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
   * all: the failure may have been the other's own, such as a partition that it lost. Rejects with
   * `partition_revoked` when `unwanted` aborts while waiting for another; own work has to heed it by itself.
   */
  async run(key: string, work: () => Promise<T>, unwanted?: AbortSignal): Promise<T> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#lead(key, work);
    const followed = await leaveOnAbort(
      flight.then(
        (value) => ({ value }),
        () => null,
      ),
      unwanted,
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

async function leaveOnAbort<T>(waited: Promise<T>, unwanted: AbortSignal | undefined): Promise<T> {
  if (!unwanted) return waited;
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void =>
    reject(
      new AppError(
        'partition_revoked',
        'waiting for the same image to be inspected: the partition of this one was revoked',
      ),
    );
  if (unwanted.aborted) leave();
  unwanted.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([left, waited]);
  } finally {
    unwanted.removeEventListener('abort', leave);
  }
}
