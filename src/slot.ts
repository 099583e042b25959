import type { Gate } from './gate.ts';

/** A place behind a gate that can be given back while nothing is done with it, and taken again. */
export class Slot {
  readonly #gate: Gate;
  readonly #weight: number;
  #isTaken = false;

  constructor(gate: Gate, weight: number) {
    this.#gate = gate;
    this.#weight = weight;
  }

  /** Resolves when there is room. */
  async take(): Promise<void> {
    if (this.#isTaken) return;
    await this.#gate.enter(this.#weight);
    this.#isTaken = true;
  }

  /** Idempotent. */
  giveBack(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    this.#gate.leave(this.#weight);
  }
}
