import { Attempts, type AttemptsOptions, type Need, type Work } from './attempts.ts';
import { dispositionOf } from './errors.ts';
import { noFaults, type FaultPoint, type FaultPoints } from './fault-points.ts';
import type { EventTrace, Stage } from './observability/telemetry.ts';

export interface JourneyOptions extends AttemptsOptions {
  trace: EventTrace;
  faults?: FaultPoints | undefined;
}

/**
 * One event on its way: which stage it is in, how long each took, the patience to wait for an outage, and the end of
 * the way when the record is not ours any more.
 */
export class Journey {
  readonly #options: JourneyOptions;
  readonly #attempts: Attempts;
  readonly #startedAt: number;
  readonly #durations = new Map<Stage, number>();
  #stage: Stage = 'decode';

  constructor(options: JourneyOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options);
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
    this.#attempts.requireOurs();
  }

  /** Says that the event has come this far. */
  reach(point: FaultPoint): void {
    (this.#options.faults ?? noFaults).reach(point);
  }

  /**
   * Runs one stage, again and again while infrastructure is at fault. Throws what `Attempts.run` throws, and AppError
   * `partition_revoked` when the record is not ours any more.
   */
  async stage<T>(name: Stage, work: Work<T>, need?: Need): Promise<T> {
    const { clock } = this.#options;
    this.enter(name);
    const startedAt = clock.elapsed();
    try {
      return await this.#attempts.run(name, work, need);
    } catch (error) {
      if (dispositionOf(error) === 'retry') this.#attempts.requireOurs(error);
      throw error;
    } finally {
      this.record(name, startedAt, clock.elapsed());
    }
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
