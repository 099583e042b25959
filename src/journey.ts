import type { Clock } from './clock.ts';
import type { Delivery } from './consumers/event-source.ts';
import { AppError, dispositionOf, type Disposition } from './errors.ts';
import { noFaults, type FaultPoint, type FaultPoints } from './fault-points.ts';
import type { EventTrace, Stage, Telemetry } from './observability/telemetry.ts';
import type { Outages } from './outages.ts';
import type { Slot } from './slot.ts';

/** What becomes of a record whose fault repeats, or whose outage lasts too long. */
export interface OutageLimits {
  /** How long one record may wait for what is absent, in ms. */
  outageTimeoutMs: number;
  /** `dead-letter`: it can be redriven afterwards; `not-inspected`: the verdict says why, and that is all. */
  onOutageTimeout: 'dead-letter' | 'not-inspected';
}

export interface JourneyOptions {
  delivery: Delivery;
  trace: EventTrace;
  telemetry: Telemetry;
  clock: Clock;
  /** Ends what waits for an outage. */
  signal: AbortSignal;
  outages: Outages;
  limits: OutageLimits;
  /** The record's place among those in flight: given back while it waits. */
  slot: Slot;
  faults?: FaultPoints | undefined;
}

/** Failures while the dependency answers others, before the fault is the record's: some 12 s. */
const MAX_ANSWERED_FAILURES = 6;

/**
 * One event on its way: which stage it is in, how long each took, the patience to wait for an outage, and the end of
 * the way when the record is not ours any more.
 */
export class Journey {
  readonly #options: JourneyOptions;
  readonly #startedAt: number;
  readonly #durations = new Map<Stage, number>();
  #stage: Stage = 'decode';

  constructor(options: JourneyOptions) {
    this.#options = options;
    this.#startedAt = options.clock.elapsed();
  }

  /** The stage entered last. */
  get stageName(): Stage {
    return this.#stage;
  }

  /** Says where the event is. Throws AppError `partition_revoked` when there is no use in going on. */
  enter(name: Stage): void {
    this.#stage = name;
    this.#options.trace.entered(name);
    this.#requireOurs();
  }

  /** Says that the event has come this far. */
  reach(point: FaultPoint): void {
    (this.#options.faults ?? noFaults).reach(point);
  }

  /**
   * Runs one stage, again and again while infrastructure is at fault. Meanwhile the record is parked and holds no
   * slot. Throws AppError `partition_revoked` when the record is not ours any more; the outage's code, with the
   * disposition that the limits say, when the fault is the record's or has lasted too long.
   */
  async stage<T>(name: Stage, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    this.enter(name);
    const startedAt = clock.elapsed();
    try {
      return await this.#attempts(name, work);
    } catch (error) {
      if (dispositionOf(error) === 'retry') this.#requireOurs(error);
      throw error;
    } finally {
      this.record(name, startedAt, clock.elapsed());
    }
  }

  async #attempts<T>(name: Stage, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, signal, telemetry, delivery, limits, slot } = this.#options;
    // What is emitted has no other way out: it waits as long as it takes.
    const timeoutMs = name === 'emit' ? Infinity : limits.outageTimeoutMs;
    let deadline = Infinity;
    let answered = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // Exactly once, it may have to wait for an older record of its partition that wants its place back.
        if (name === 'emit') slot.rest();
        return await work(signal);
      } catch (error) {
        const isOver = signal.aborted || delivery.revoked.aborted;
        if (!(error instanceof AppError) || error.disposition !== 'retry' || isOver) throw error;
        telemetry.retried(name, error, attempt);
        if (attempt === 1) deadline = clock.elapsed() + timeoutMs;
        const waited = await this.#wait(error, attempt, deadline - clock.elapsed());
        if (waited === 'timeout') throw this.#givenUp(error, `absent for ${timeoutMs / 1000} s`);
        if (waited === 'answered') answered += 1;
        if (answered >= MAX_ANSWERED_FAILURES && name !== 'emit') {
          throw this.#givenUp(error, `failed ${attempt} times while others are served`);
        }
      }
    }
  }

  /** Parks the record until another attempt makes sense. Throws `error` when the process ends meanwhile. */
  async #wait(
    error: AppError,
    attempt: number,
    ms: number,
  ): Promise<'absent' | 'answered' | 'timeout'> {
    const { clock, signal, delivery, outages, slot } = this.#options;
    const budget = new AbortController();
    const settled = new AbortController();
    if (ms !== Infinity) {
      void clock.sleep(Math.max(0, ms), settled.signal).then(
        () => budget.abort(),
        () => undefined,
      );
    }
    const ended = AbortSignal.any([signal, delivery.revoked, budget.signal]);
    const unpark = delivery.park();
    slot.giveBack();
    try {
      const wasAbsent = await outages.wait(error.dependency ?? error.code, attempt, ended);
      return wasAbsent ? 'absent' : 'answered';
    } catch {
      if (signal.aborted || delivery.revoked.aborted || !budget.signal.aborted) throw error;
      return 'timeout';
    } finally {
      settled.abort();
      await slot.take();
      unpark();
    }
  }

  #givenUp(error: AppError, why: string): AppError {
    const disposition: Disposition =
      this.#stage === 'decode' ? 'dead-letter' : this.#options.limits.onOutageTimeout;
    return new AppError(error.code, `${error.message}; given up: ${why}`, {
      cause: error,
      dependency: error.dependency,
      disposition,
    });
  }

  #requireOurs(cause?: unknown): void {
    const { delivery } = this.#options;
    if (!delivery.revoked.aborted) return;
    const { topic, partition, offset } = delivery.record;
    throw new AppError(
      'partition_revoked',
      `judging ${topic}/${partition}/${offset}: the partition was revoked; its next owner reads the record again`,
      { cause },
    );
  }

  /** Notes a stage that was timed elsewhere; monotonic ms. */
  record(name: Stage, startedAt: number, endedAt: number): void {
    this.#durations.set(name, endedAt - startedAt);
    this.#options.trace.stage(name, startedAt, endedAt);
  }

  /** Milliseconds that a stage took; null when it was not reached. */
  duration(name: Stage): number | null {
    return this.#durations.get(name) ?? null;
  }

  /** Milliseconds since the record was taken. */
  total(): number {
    return this.#options.clock.elapsed() - this.#startedAt;
  }
}
