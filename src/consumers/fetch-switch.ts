import type { Consumer } from 'kafkajs';

/**
 * Why fetching is paused: nobody has pulled for long; the source was stopped; or positions are being set back to
 * the committed offsets.
 */
export type PauseReason = 'stalled' | 'stopped' | 'realigning';

/**
 * Pauses fetching while there is any reason to, and single partitions while a record of theirs is held. A paused
 * kafkajs consumer goes on sending heartbeats.
 */
export class FetchSwitch {
  readonly #consumer: Consumer;
  readonly #topic: string;
  readonly #reasons = new Set<PauseReason>();
  /** How many records of a partition are held. */
  readonly #holds = new Map<number, number>();
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

  /** True while a record of the partition is held. */
  isHeld(partition: number): boolean {
    return this.#holds.has(partition);
  }

  pause(reason: PauseReason): void {
    this.#reasons.add(reason);
    this.#apply();
  }

  resume(reason: PauseReason): void {
    this.#reasons.delete(reason);
    this.#apply();
  }

  /** Pauses one partition until what is returned was called as often as this. */
  hold(partition: number): () => void {
    const holds = (this.#holds.get(partition) ?? 0) + 1;
    this.#holds.set(partition, holds);
    if (holds === 1 && this.#running && !this.#paused) this.#pauseHeld();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#release(partition);
    };
  }

  /** The consumer runs: before that it cannot be paused. */
  started(): void {
    const forgotten = !this.#running;
    this.#running = true;
    this.#apply();
    if (forgotten && !this.#paused) this.#pauseHeld();
  }

  /** The consumer has stopped, and has forgotten what was paused should it start again. */
  ended(): void {
    this.#running = false;
    this.#paused = false;
  }

  #release(partition: number): void {
    const left = (this.#holds.get(partition) ?? 1) - 1;
    if (left > 0) {
      this.#holds.set(partition, left);
      return;
    }
    this.#holds.delete(partition);
    if (this.#running && !this.#paused) {
      this.#consumer.resume([{ topic: this.#topic, partitions: [partition] }]);
    }
  }

  #apply(): void {
    if (!this.#running || this.#paused === this.paused) return;
    this.#paused = this.paused;
    if (this.#paused) {
      this.#consumer.pause([{ topic: this.#topic }]);
    } else {
      this.#consumer.resume([{ topic: this.#topic }]);
      this.#pauseHeld(); // resuming a topic resumes all of its partitions
    }
  }

  #pauseHeld(): void {
    if (this.#holds.size === 0) return;
    this.#consumer.pause([{ topic: this.#topic, partitions: [...this.#holds.keys()] }]);
  }
}
