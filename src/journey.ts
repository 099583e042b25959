import type { Clock } from './clock.ts';
import type { Delivery } from './consumers/event-source.ts';
import { AppError, dispositionOf } from './errors.ts';
import { noFaults, type FaultPoint, type FaultPoints } from './fault-points.ts';
import { hold } from './hold.ts';
import type { EventTrace, Stage, Telemetry } from './observability/telemetry.ts';

export interface JourneyOptions {
  delivery: Delivery;
  trace: EventTrace;
  telemetry: Telemetry;
  clock: Clock;
  /** Ends what is being held for an outage. */
  signal: AbortSignal;
  faults?: FaultPoints | undefined;
}

/**
 * One event on its way: which stage it is in, how long each took, the patience to hold it over an outage, and
 * the end of the way when the record is not ours any more.
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
   * Runs one stage, again and again while infrastructure is at fault; the record's partition is paused meanwhile.
   * Throws AppError `partition_revoked` when the record is not ours any more.
   */
  async stage<T>(name: Stage, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { delivery, clock, signal, telemetry } = this.#options;
    this.enter(name);
    const startedAt = clock.elapsed();
    let release: (() => void) | undefined;
    try {
      return await hold(() => work(signal), {
        clock,
        signal,
        givenUp: delivery.revoked,
        onRetry: (error, attempt) => {
          release ??= delivery.hold();
          telemetry.retried(name, error, attempt);
        },
      });
    } catch (error) {
      if (dispositionOf(error) === 'retry') this.#requireOurs(error);
      throw error;
    } finally {
      release?.();
      this.record(name, startedAt, clock.elapsed());
    }
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

  /** Notes a stage that somebody else timed; monotonic ms. */
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
