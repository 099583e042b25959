import type { Clock } from './clock.ts';
import { FairQueue } from './fair-queue.ts';
import { FairTurns } from './fair-turns.ts';

export interface FetchPoolOptions {
  /** Fetches at once. */
  places: number;
  clock: Clock;
}

/** What a fetch asks of the pool. */
export interface FetchRequest {
  /** What is asked for the image: `https://host:443`, `s3://bucket`. */
  dependency: string;
  /** Fetches of one flow are served in order; flows take turns by the time that they take. */
  flow: string;
  /** The most of this dependency at once, beside the pool's own bound. */
  places?: number | undefined;
}

/** A place in the pool. */
export interface Place {
  /** Gives it back, with whether the dependency has answered; undefined: it was not asked. Idempotent. */
  leave(hasAnswered?: boolean): void;
}

interface Waiter {
  flow: string;
  admit: (place: Place) => void;
}

interface Dependency {
  readonly queue: FairQueue<Waiter>;
  readonly places: number;
  active: number;
  /** The fetch that ended last was answered. */
  answers: boolean;
  /** How long a fetch takes, in ms: moving average. */
  costMs: number;
}

/** What a fetch is taken to cost before any was measured, in ms. */
const FIRST_COST_MS = 100;
/** The part of the pool that is kept for dependencies that answer. */
const RESERVE = 0.25;
/** Dependencies that are remembered although nothing is fetched from them. */
const MAX_IDLE = 1_000;

/**
 * Shares out the places for fetches (bulkheads: Nygard, "Release It!"). A quarter of them is never taken by one
 * dependency, nor by all those together that did not answer last or were never asked. Dependencies and, within each,
 * flows take turns by the time that their fetches take.
 */
export class FetchPool {
  readonly #options: FetchPoolOptions;
  readonly #dependencies = new Map<string, Dependency>();
  readonly #turns = new FairTurns<Dependency>();
  /** Places that are not reserved. */
  readonly #common: number;
  #active = 0;
  #unanswered = 0;

  constructor(options: FetchPoolOptions) {
    this.#options = options;
    this.#common = options.places - Math.floor(options.places * RESERVE);
  }

  /** A place, if one is free and no fetch waits for it. */
  tryEnter(request: FetchRequest): Place | undefined {
    const dependency = this.#dependency(request);
    if (dependency.queue.size > 0 || !this.#hasPlace(dependency)) return undefined;
    this.#turns.charge(dependency, dependency.costMs);
    return this.#occupy(dependency, request.flow);
  }

  /** Waits for a place. Rejects when the signal aborts. */
  async enter(request: FetchRequest, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const place = this.tryEnter(request);
    if (place) return place;
    const { queue } = this.#dependency(request);
    const { promise, resolve, reject } = Promise.withResolvers<Place>();
    const waiter: Waiter = { flow: request.flow, admit: resolve };
    const abort = (): void => {
      queue.remove((each) => each === waiter);
      reject(signal.reason as Error);
    };
    queue.push(request.flow, waiter);
    signal.addEventListener('abort', abort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', abort));
  }

  #admit(): void {
    for (;;) {
      const next = this.#turns.next((each) => each.queue.size > 0 && this.#hasPlace(each));
      const waiter = next?.queue.shift(next.costMs);
      if (!next || !waiter) return;
      this.#turns.charge(next, next.costMs);
      waiter.admit(this.#occupy(next, waiter.flow));
    }
  }

  #hasPlace({ active, places, answers }: Dependency): boolean {
    if (this.#active >= this.#options.places || active >= places) return false;
    return answers || this.#unanswered < this.#common;
  }

  #occupy(dependency: Dependency, flow: string): Place {
    const { clock } = this.#options;
    const startedAt = clock.elapsed();
    const chargedMs = dependency.costMs;
    const wasUnanswered = !dependency.answers;
    dependency.active += 1;
    this.#active += 1;
    if (wasUnanswered) this.#unanswered += 1;
    let isLeft = false;
    return {
      leave: (hasAnswered) => {
        if (isLeft) return;
        isLeft = true;
        dependency.active -= 1;
        this.#active -= 1;
        if (wasUnanswered) this.#unanswered -= 1;
        if (hasAnswered !== undefined) {
          const ms = clock.elapsed() - startedAt;
          dependency.answers = hasAnswered;
          dependency.costMs = dependency.costMs * 0.9 + ms * 0.1;
          dependency.queue.charge(flow, ms - chargedMs);
          this.#turns.charge(dependency, ms - chargedMs);
        }
        this.#admit();
      },
    };
  }

  #dependency({ dependency: name, places = Infinity }: FetchRequest): Dependency {
    const known = this.#dependencies.get(name);
    if (known) return known;
    if (this.#dependencies.size >= MAX_IDLE) this.#forgetIdle();
    const dependency: Dependency = {
      queue: new FairQueue(),
      places: Math.min(places, this.#common),
      active: 0,
      answers: false,
      costMs: FIRST_COST_MS,
    };
    this.#dependencies.set(name, dependency);
    this.#turns.add(dependency);
    return dependency;
  }

  #forgetIdle(): void {
    for (const [name, dependency] of this.#dependencies) {
      if (dependency.active > 0 || dependency.queue.size > 0) continue;
      this.#dependencies.delete(name);
      this.#turns.remove(dependency);
    }
  }
}
