import type { Clock } from './clock.ts';
import { retryDelay } from './hold.ts';

export interface OutagesOptions {
  clock: Clock;
  /**
   * Asks a dependency whether it answers now, whatever it answers; settles in bounded time. Undefined for a dependency
   * that cannot be asked: it counts as absent.
   */
  probe?: ((dependency: string) => Promise<boolean | undefined>) | undefined;
  /** A dependency was found absent, or answers again. */
  onChange?: ((dependency: string, isAbsent: boolean) => void) | undefined;
  /** A number in [0, 1). @default Math.random */
  random?: () => number;
}

interface Outage {
  over: PromiseWithResolvers<undefined>;
  waiting: number;
}

/**
 * Absent dependencies, and the records that wait for them. One probe asks for all of them, so that a dependency that
 * comes back is not met by every record at once, and a record whose own fault repeats is told from an outage.
 */
export class Outages {
  readonly #options: OutagesOptions;
  readonly #open = new Map<string, Outage>();
  readonly #asked = new Map<string, Promise<boolean | undefined>>();

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  /** The dependencies that are absent now, with the number of records that wait for each. */
  absent(): Array<{ dependency: string; waiting: number }> {
    return [...this.#open].map(([dependency, { waiting }]) => ({ dependency, waiting }));
  }

  /**
   * Waits until another attempt makes sense. Resolves with whether the dependency was absent; if it was not, the fault
   * may be the record's. Rejects when the signal aborts.
   *
   * @param attempt - how often the record has failed, for the delay
   */
  async wait(dependency: string, attempt: number, signal: AbortSignal): Promise<boolean> {
    const { clock, random = Math.random } = this.#options;
    const known = this.#open.get(dependency);
    const answers = known ? false : await orAborted(this.#ask(dependency), signal);
    if (answers === false) {
      await this.#outlast(
        dependency,
        this.#open.get(dependency) ?? this.#begin(dependency),
        signal,
      );
      return true;
    }
    await clock.sleep(retryDelay(attempt, random), signal);
    return answers === undefined;
  }

  /**
   * Sends one probe at a time to each dependency, whatever the number of records that ask. They share it, so none of
   * them can abort it. A probe that rejects counts as unanswered.
   */
  #ask(dependency: string): Promise<boolean | undefined> {
    const known = this.#asked.get(dependency);
    if (known) return known;
    const { probe } = this.#options;
    const asked = Promise.try(() => probe?.(dependency))
      .catch(() => false)
      .finally(() => this.#asked.delete(dependency));
    this.#asked.set(dependency, asked);
    return asked;
  }

  async #outlast(dependency: string, outage: Outage, signal: AbortSignal): Promise<void> {
    outage.waiting += 1;
    try {
      await orAborted(outage.over.promise, signal);
    } finally {
      outage.waiting -= 1;
      // Nothing waits for it any more: whether it is back is found out when something does.
      if (outage.waiting === 0 && this.#open.get(dependency) === outage) this.#end(dependency);
    }
  }

  #begin(dependency: string): Outage {
    const outage: Outage = { over: Promise.withResolvers(), waiting: 0 };
    this.#open.set(dependency, outage);
    this.#options.onChange?.(dependency, true);
    void this.#watch(dependency, outage);
    return outage;
  }

  async #watch(dependency: string, outage: Outage): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    const stopped = new AbortController();
    void outage.over.promise.then(() => stopped.abort());
    for (let attempt = 1; this.#open.get(dependency) === outage; attempt += 1) {
      await clock.sleep(retryDelay(attempt, random), stopped.signal).catch(() => undefined);
      if (stopped.signal.aborted) return;
      const answers = await this.#ask(dependency);
      if (answers !== false && this.#open.get(dependency) === outage) this.#end(dependency);
    }
  }

  #end(dependency: string): void {
    const outage = this.#open.get(dependency);
    this.#open.delete(dependency);
    outage?.over.resolve(undefined);
    this.#options.onChange?.(dependency, false);
  }
}

/** What `work` comes to, unless the signal aborts first. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
