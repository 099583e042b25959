import type { Clock } from './clock.ts';
import { hold } from './hold.ts';
import type { EventTrace, Stage, Telemetry } from './observability/telemetry.ts';

export interface JourneyOptions {
  trace: EventTrace;
  telemetry: Telemetry;
  clock: Clock;
  /** Ends what is being held for an outage. */
  signal: AbortSignal;
}

/** One event on its way: which stage it is in, how long each took, and the patience to hold it over an outage. */
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

  /** Says where the event is, for a stage that somebody else times. */
  enter(name: Stage): void {
    this.#stage = name;
  }

  /** Runs one stage, again and again while infrastructure is at fault. */
  async stage<T>(name: Stage, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, signal, telemetry } = this.#options;
    this.enter(name);
    const startedAt = clock.elapsed();
    try {
      return await hold(() => work(signal), {
        clock,
        signal,
        onRetry: (error, attempt) => telemetry.retried(name, error, attempt),
      });
    } finally {
      this.record(name, startedAt, clock.elapsed());
    }
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
