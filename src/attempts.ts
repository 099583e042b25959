/** The patience of one stage: attempts, places, outages, and the end of waiting. */
import type { Clock } from './clock.ts';
import type { Delivery } from './consumers/event-source.ts';
import { AppError, type Disposition } from './errors.ts';
import type { FetchPool, FetchRequest, Place } from './fetch-pool.ts';
import type { Stage, Telemetry } from './observability/telemetry.ts';
import type { Finding, Outages } from './outages.ts';
import type { Patience } from './references/image-fetcher.ts';
import { retryDelay } from './retry-delay.ts';
import type { Slot } from './slot.ts';

/** What becomes of a record whose fault repeats, or whose outage lasts too long. */
export interface OutageLimits {
  /** How long one record may wait for what is absent, in ms. */
  outageTimeoutMs: number;
  /** `dead-letter`: it can be redriven afterwards; `not-inspected`: the verdict says why, and that is all. */
  onOutageTimeout: 'dead-letter' | 'not-inspected';
}

export interface AttemptsOptions {
  delivery: Delivery;
  telemetry: Telemetry;
  clock: Clock;
  /** Ends what waits for an outage. */
  signal: AbortSignal;
  outages: Outages;
  fetches: FetchPool;
  limits: OutageLimits;
  /** The record's place among those in flight: given back while it waits. */
  slot: Slot;
  /** An emission may wait for that of an older record of its partition. */
  emitsInOrder?: boolean | undefined;
}

/** What a stage depends on and shares with other records. */
export interface Need extends FetchRequest {
  /** Set for a dependency that is not ours to wait for. */
  patience?: Patience | undefined;
}

export type Work<T> = (signal: AbortSignal) => Promise<T>;

/** How long a stage waits, over all its attempts, and for what. */
interface Wait {
  name: Stage;
  need: Need | undefined;
  timeoutMs: number;
  /** Monotonic ms; undefined until it has to wait. */
  deadline: number | undefined;
  /** The dependency that failed last. */
  waitedFor: string | undefined;
}

/** Failures while the dependency answers others, before the fault is the record's: some 12 s. */
const MAX_ANSWERED_FAILURES = 6;

/** Runs the stages of one record, again and again while infrastructure is at fault. */
export class Attempts {
  readonly #options: AttemptsOptions;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /**
   * Runs one stage. While the record waits, for an outage or for a place among the fetches, it holds no slot. Throws
   * AppError `partition_revoked` when the record is not ours any more; when the fault is the record's or has lasted
   * too long, the outage's code, with the disposition that the limits say, or the code of the need's patience.
   */
  async run<T>(name: Stage, work: Work<T>, need?: Need): Promise<T> {
    const { clock, signal, telemetry, delivery, limits, outages } = this.#options;
    const attempts = need?.patience?.attempts ?? Infinity;
    // What is emitted has no other way out: it waits as long as it takes.
    const timeoutMs = name === 'emit' ? Infinity : limits.outageTimeoutMs;
    const wait: Wait = { name, need, timeoutMs, deadline: undefined, waitedFor: undefined };
    let answered = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const place = await this.#admission(wait);
        return await this.#attempt(work, wait, place);
      } catch (error) {
        const isOver = signal.aborted || delivery.revoked.aborted;
        if (!isOutage(error) || isOver) throw error;
        telemetry.retried(name, error, attempt);
        const finding = await this.#find(error, wait);
        if (attempt >= attempts) throw this.#givenUp(error, wait, `failed ${attempt} times`);
        if (finding === 'answers') answered += 1;
        if (answered >= MAX_ANSWERED_FAILURES && name !== 'emit') {
          const why = `failed ${attempt} times while others are served`;
          throw this.#givenUp(error, wait, why);
        }
        if (finding !== 'absent') {
          await this.#pause(error, wait, (ended) => clock.sleep(retryDelay(attempt), ended));
        }
      } finally {
        for (const each of dependenciesOf(wait)) outages.left(each, this);
      }
    }
  }

  /** Waits until what the stage depends on is not known to be absent and has a place for it. */
  async #admission(wait: Wait): Promise<Place | undefined> {
    const { outages, fetches } = this.#options;
    for (;;) {
      await this.#outlast(wait);
      if (!wait.need) return undefined;
      const { dependency } = wait.need;
      const place = fetches.tryEnter(wait.need) ?? (await this.#place(wait.need));
      if (outages.mayTry(dependency, this)) return place;
      place.leave(); // it was found absent meanwhile
    }
  }

  /** Waits, parked, until no outage is known of what the stage depends on. */
  async #outlast(wait: Wait): Promise<void> {
    const { outages } = this.#options;
    for (const dependency of dependenciesOf(wait)) {
      const known = outages.of(dependency);
      if (!known || outages.mayTry(dependency, this)) continue;
      const patience = known.since + (wait.need?.patience?.absentMs ?? Infinity);
      const waiting = (ended: AbortSignal): Promise<void> => outages.admit(dependency, this, ended);
      await this.#pause(known.error, wait, waiting, patience);
    }
  }

  async #attempt<T>(work: Work<T>, wait: Wait, place: Place | undefined): Promise<T> {
    const { signal, slot, outages, emitsInOrder } = this.#options;
    const { name, need } = wait;
    // It may have to wait for an older record of its partition that wants its slot back.
    if (name === 'emit' && emitsInOrder) slot.rest();
    let answered: Set<string> | undefined = dependenciesOf(wait);
    try {
      return await work(signal);
    } catch (error) {
      // A redirect has led to what failed: then only that has not answered.
      if (isOutage(error)) answered.delete(error.dependency ?? error.code);
      else if (!(error instanceof AppError) || error.disposition === 'revoked')
        answered = undefined;
      throw error;
    } finally {
      place?.leave(need && answered?.has(need.dependency));
      for (const each of answered ?? []) outages.answered(each);
    }
  }

  /** Waits for a place among the fetches, without a slot. */
  async #place(need: Need): Promise<Place> {
    const { signal, delivery, fetches, slot } = this.#options;
    slot.giveBack();
    try {
      return await fetches.enter(need, AbortSignal.any([signal, delivery.revoked]));
    } catch (error) {
      this.requireOurs(error);
      throw error;
    } finally {
      await slot.take();
    }
  }

  /** What a failure says of the dependency that it names. */
  async #find(error: AppError, wait: Wait): Promise<Finding> {
    const dependency = (wait.waitedFor = error.dependency ?? error.code);
    let finding: Finding = 'absent';
    await this.#pause(error, wait, async (signal) => {
      finding = await this.#options.outages.failed(dependency, this, { error, signal });
    });
    return finding;
  }

  /** Parks the record while it waits. Throws `error` when the process ends, and gives the record up in the end. */
  async #pause(
    error: AppError,
    wait: Wait,
    waiting: (ended: AbortSignal) => Promise<void>,
    patience = Infinity,
  ): Promise<void> {
    const { clock } = this.#options;
    const now = clock.elapsed();
    wait.deadline ??= now + wait.timeoutMs;
    const waited = await this.#parked(Math.min(wait.deadline, patience) - now, waiting);
    if (waited === 'ended') throw error;
    if (waited === 'done') return;
    const { absentMs = 0 } = wait.need?.patience ?? {};
    const ms = wait.deadline < patience ? wait.timeoutMs : absentMs;
    throw this.#givenUp(error, wait, `absent for ${Math.round(ms / 1000)} s`);
  }

  /** Runs what waits, for `ms` at most; the record is parked and holds no slot meanwhile. */
  async #parked(
    ms: number,
    waiting: (signal: AbortSignal) => Promise<void>,
  ): Promise<'done' | 'ended' | 'timeout'> {
    const { clock, signal, delivery, slot } = this.#options;
    if (ms <= 0) return 'timeout';
    const budget = new AbortController();
    const settled = new AbortController();
    if (ms !== Infinity) {
      void clock.sleep(ms, settled.signal).then(
        () => budget.abort(),
        () => undefined,
      );
    }
    const unpark = delivery.park();
    slot.giveBack();
    try {
      await waiting(AbortSignal.any([signal, delivery.revoked, budget.signal]));
      return 'done';
    } catch {
      return signal.aborted || delivery.revoked.aborted || !budget.signal.aborted
        ? 'ended'
        : 'timeout';
    } finally {
      settled.abort();
      await slot.take();
      unpark();
    }
  }

  #givenUp(error: AppError, { need, name }: Wait, why: string): AppError {
    const { dependency } = error;
    const message = `${error.message}; given up: ${why}`;
    const patience = need?.patience;
    if (patience) return new AppError(patience.code, message, { cause: error, dependency });
    const disposition: Disposition =
      name === 'decode' ? 'dead-letter' : this.#options.limits.onOutageTimeout;
    return new AppError(error.code, message, { cause: error, dependency, disposition });
  }

  requireOurs(cause?: unknown): void {
    const { delivery } = this.#options;
    if (!delivery.revoked.aborted) return;
    const { topic, partition, offset } = delivery.record;
    throw new AppError(
      'partition_revoked',
      `judging ${topic}/${partition}/${offset}: the partition was revoked; its next owner reads the record again`,
      { cause },
    );
  }
}

function isOutage(error: unknown): error is AppError {
  return error instanceof AppError && error.disposition === 'retry';
}

/** What a stage is known to depend on. */
function dependenciesOf({ need, waitedFor }: Wait): Set<string> {
  return new Set([waitedFor ?? [], need?.dependency ?? []].flat());
}
