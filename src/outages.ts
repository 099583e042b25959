import type { Clock } from './clock.ts';
import type { AppError } from './errors.ts';
import type { Absence } from './observability/absences.ts';
import { retryDelay } from './retry-delay.ts';

export interface OutagesOptions {
  clock: Clock;
  /**
   * Asks a dependency whether it answers now, whatever it answers; settles in bounded time. Undefined for a dependency
   * that cannot be asked.
   */
  probe?: ((dependency: string) => Promise<boolean | undefined>) | undefined;
  /** A dependency was found absent, or answers again. */
  onChange?: ((dependency: string, isAbsent: boolean) => void) | undefined;
  /** A number in [0, 1). @default Math.random */
  random?: () => number;
}

/** What a failed attempt says of its dependency: it is absent, it serves others, or it cannot be asked. */
export type Finding = 'absent' | 'answers' | 'unknown';

interface Outage {
  readonly since: number;
  /** The failure that was seen last. */
  error: AppError;
  /** Records that wait, in order, each with what lets it try. */
  readonly waiting: Map<object, () => void>;
  /** The record that tries now, for all of them. */
  trial: object | undefined;
  failedTrials: number;
  /** Monotonic ms. */
  nextTrialAt: number;
  askedAt: number;
  /** Aborts when no record waits any more; undefined while none does. */
  watch: AbortController | undefined;
}

/** Records that fail one after the other with no success between them, before a host that answers probes is absent. */
const MAX_FAILING_RECORDS = 5;
/** An outage that no record has asked about for so long is forgotten, in ms. */
const FORGOTTEN_AFTER_MS = 300_000;
/** Dependencies whose failures are remembered. */
const MAX_DEPENDENCIES = 1_000;

/**
 * A breaker for each dependency (Nygard, "Release It!"), whose calls wait instead of failing. While a dependency is
 * absent, its records wait and nothing is asked of it but one probe at a time. When that is answered the breaker is
 * half open: one record tries for all of them, and its success lets them all go on.
 */
export class Outages {
  readonly #options: OutagesOptions;
  readonly #open = new Map<string, Outage>();
  /** The records that failed since the last success, by dependency; all of these answer probes. */
  readonly #failing = new Map<string, Set<object>>();
  readonly #asked = new Map<string, Promise<boolean | undefined>>();

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  /** The dependencies that are absent now. */
  absent(): Absence[] {
    const now = this.#options.clock.elapsed();
    this.#forget(now);
    return [...this.#open].map(([dependency, { waiting, since }]) => {
      return { dependency, waiting: waiting.size, ms: now - since };
    });
  }

  /** Since when the dependency has been absent, in monotonic ms, and its last failure; undefined when it is not. */
  of(dependency: string): Readonly<Pick<Outage, 'since' | 'error'>> | undefined {
    return this.#open.get(dependency);
  }

  /**
   * Waits until `record` may try; at once when no outage is known. After it, one of `answered`, `failed` and `left`
   * must say what came of it. Rejects when the signal aborts.
   */
  async admit(dependency: string, record: object, signal: AbortSignal): Promise<void> {
    const outage = this.#open.get(dependency);
    if (!outage || this.mayTry(dependency, record)) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    outage.waiting.set(record, () => resolve(undefined));
    if (!outage.watch) void this.#watch(dependency, outage);
    try {
      await orAborted(promise, signal);
    } finally {
      outage.waiting.delete(record);
      if (outage.waiting.size === 0) outage.watch?.abort();
    }
  }

  /** Whether `record` may try without waiting. If the dependency is absent, it then tries for all. */
  mayTry(dependency: string, record: object): boolean {
    const outage = this.#open.get(dependency);
    if (!outage || outage.trial === record) return true;
    const now = this.#options.clock.elapsed();
    outage.askedAt = now;
    if (outage.trial || outage.waiting.size > 0 || now < outage.nextTrialAt) return false;
    outage.trial = record;
    return true;
  }

  /** Says that the dependency has answered: an outage is over. */
  answered(dependency: string): void {
    this.#failing.delete(dependency);
    const outage = this.#open.get(dependency);
    if (!outage) return;
    this.#open.delete(dependency);
    for (const go of outage.waiting.values()) go();
    this.#options.onChange?.(dependency, false);
  }

  /** Says that an attempt of `record` has failed with `error`, which looks like an outage. Rejects when the signal aborts. */
  async failed(
    dependency: string,
    record: object,
    { error, signal }: { error: AppError; signal: AbortSignal },
  ): Promise<Finding> {
    if (this.#isFailedTrial(dependency, record, error)) return 'absent';
    const answers = await orAborted(this.#ask(dependency), signal);
    if (this.#isFailedTrial(dependency, record, error)) return 'absent';
    if (answers === undefined) return 'unknown';
    if (answers && !this.#isEnough(dependency, record)) return 'answers';
    this.#begin(dependency, error);
    return 'absent';
  }

  /** Says that an attempt of `record` came to nothing: it was not its dependency's doing. */
  left(dependency: string, record: object): void {
    const outage = this.#open.get(dependency);
    if (outage?.trial === record) outage.trial = undefined;
  }

  /** True while the dependency is absent, which `record` has then found again if it tried for all. */
  #isFailedTrial(dependency: string, record: object, error: AppError): boolean {
    const outage = this.#open.get(dependency);
    if (!outage) return false;
    if (outage.trial === record) {
      outage.trial = undefined;
      outage.error = error;
      outage.failedTrials += 1;
      outage.nextTrialAt = this.#options.clock.elapsed() + this.#delay(outage.failedTrials);
    }
    return true;
  }

  #isEnough(dependency: string, record: object): boolean {
    const failing = this.#failing.get(dependency) ?? new Set();
    failing.add(record);
    this.#failing.set(dependency, failing);
    forgetOldest(this.#failing);
    return failing.size >= MAX_FAILING_RECORDS;
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

  #begin(dependency: string, error: AppError): void {
    const now = this.#options.clock.elapsed();
    const outage: Outage = {
      since: now,
      error,
      waiting: new Map(),
      trial: undefined,
      failedTrials: 0,
      nextTrialAt: now + this.#delay(0),
      askedAt: now,
      watch: undefined,
    };
    this.#failing.delete(dependency);
    this.#open.set(dependency, outage);
    this.#forget(now);
    this.#options.onChange?.(dependency, true);
  }

  /** Lets one record try each time that a probe was answered, for as long as records wait. */
  async #watch(dependency: string, outage: Outage): Promise<void> {
    const { clock } = this.#options;
    const watch = (outage.watch = new AbortController());
    const isOver = (): boolean => watch.signal.aborted;
    while (!isOver()) {
      const ms = outage.trial
        ? this.#delay(outage.failedTrials)
        : outage.nextTrialAt - clock.elapsed();
      await clock.sleep(Math.max(1, ms), watch.signal).catch(() => undefined);
      if (isOver()) break;
      if (outage.trial || clock.elapsed() < outage.nextTrialAt) continue;
      const answers = await this.#ask(dependency);
      if (isOver()) break;
      outage.failedTrials += 1;
      outage.nextTrialAt = clock.elapsed() + this.#delay(outage.failedTrials);
      if (answers !== false) this.#tryFirst(outage);
    }
    if (outage.watch === watch) outage.watch = undefined;
    if (outage.waiting.size > 0 && this.#open.get(dependency) === outage) {
      void this.#watch(dependency, outage);
    }
  }

  #tryFirst(outage: Outage): void {
    const [first] = outage.waiting;
    if (!first || outage.trial) return; // one has come while the probe was under way
    const [record, go] = first;
    outage.waiting.delete(record);
    outage.trial = record;
    go();
  }

  #delay(failedTrials: number): number {
    return retryDelay(failedTrials + 1, this.#options.random ?? Math.random);
  }

  /** Publishers name hosts, any number of them. */
  #forget(now: number): void {
    for (const [dependency, { waiting, trial, askedAt }] of this.#open) {
      if (waiting.size > 0 || trial) continue;
      const isOld = now - askedAt >= FORGOTTEN_AFTER_MS;
      if (isOld || this.#open.size > MAX_DEPENDENCIES) this.#open.delete(dependency);
    }
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > MAX_DEPENDENCIES && oldest !== undefined) map.delete(oldest);
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
