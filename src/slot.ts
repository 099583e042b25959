import type { Gate } from './gate.ts';

/** A place behind a gate that can be given back while nothing is done with it, and taken again. */
export class Slot {
  readonly #gate: Gate;
  readonly #weight: number;
  #isTaken = false;
  #isResting = false;
  #wasTaken = false;

  constructor(gate: Gate, weight: number) {
    this.#gate = gate;
    this.#weight = weight;
  }

  /** Resolves when there is room; see `Gate.enterAgain` for a place that was given back. */
  async take(): Promise<void> {
    if (this.#isTaken) return;
    if (this.#wasTaken) await this.#gate.enterAgain(this.#weight);
    else await this.#gate.enter(this.#weight);
    this.#isTaken = this.#wasTaken = true;
  }

  /** Says that the holder of the place waits for something that others may have to do, until it gives it back. */
  rest(): void {
    if (!this.#isTaken || this.#isResting) return;
    this.#isResting = true;
    this.#gate.rest();
  }

  /** Idempotent. */
  giveBack(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    if (this.#isResting) this.#gate.wake();
    this.#isResting = false;
    this.#gate.leave(this.#weight);
  }
}
