import type { Clock } from '../clock.ts';

export interface CircuitBreakerOptions {
  clock: Clock;
  /** Failures in a row after which nothing is asked for a while. */
  failures: number;
  /** How long, in ms; then one request tries whether it is over. */
  restMs: number;
  onFailure: (error: unknown) => void;
  /** Told once, with the last failure, when the asking ends. */
  onOpen: (error: unknown) => void;
  /** Told once when an answer has come again. */
  onClose: () => void;
}

/** Keeps from asking what does not answer (Nygard, "Release It!", 2nd ed., chapter 5). */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #failuresInARow = 0;
  #open = false;
  #restUntil = 0;
  #trying = false;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** What `work` comes to; undefined when it was not begun or failed. */
  async ask<T>(work: () => Promise<T>): Promise<T | undefined> {
    const trial = this.#open;
    if (trial) {
      if (this.#trying || this.#options.clock.elapsed() < this.#restUntil) return undefined;
      this.#trying = true;
    }
    try {
      const answer = await work();
      this.#succeeded();
      return answer;
    } catch (error) {
      this.#failed(error);
      return undefined;
    } finally {
      if (trial) this.#trying = false;
    }
  }

  #succeeded(): void {
    this.#failuresInARow = 0;
    if (!this.#open) return;
    this.#open = false;
    this.#options.onClose();
  }

  #failed(error: unknown): void {
    const { clock, failures, restMs, onFailure, onOpen } = this.#options;
    onFailure(error);
    this.#failuresInARow += 1;
    if (this.#failuresInARow < failures) return;
    this.#restUntil = clock.elapsed() + restMs;
    if (this.#open) return;
    this.#open = true;
    onOpen(error);
  }
}
