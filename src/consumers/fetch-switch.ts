import type { Consumer } from 'kafkajs';

/**
 * Why fetching is paused: nobody has pulled for long; the source was stopped; or the positions are being set
 * back to the committed offsets.
 */
export type PauseReason = 'stalled' | 'stopped' | 'realigning';

/** Pauses fetching while there is any reason to. A paused kafkajs consumer goes on sending heartbeats. */
export class FetchSwitch {
  readonly #consumer: Consumer;
  readonly #topic: string;
  readonly #reasons = new Set<PauseReason>();
  #running = false;
  #paused = false;

  constructor(consumer: Consumer, topic: string) {
    this.#consumer = consumer;
    this.#topic = topic;
  }

  get paused(): boolean {
    return this.#reasons.size > 0;
  }

  has(reason: PauseReason): boolean {
    return this.#reasons.has(reason);
  }

  pause(reason: PauseReason): void {
    this.#reasons.add(reason);
    this.#apply();
  }

  resume(reason: PauseReason): void {
    this.#reasons.delete(reason);
    this.#apply();
  }

  /** The consumer runs: before that it cannot be paused. */
  started(): void {
    this.#running = true;
    this.#apply();
  }

  /** The consumer has stopped, and has forgotten what was paused should it start again. */
  ended(): void {
    this.#running = false;
    this.#paused = false;
  }

  #apply(): void {
    if (!this.#running || this.#paused === this.paused) return;
    this.#paused = this.paused;
    if (this.paused) this.#consumer.pause([{ topic: this.#topic }]);
    else this.#consumer.resume([{ topic: this.#topic }]);
  }
}
