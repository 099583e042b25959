import type { Stage } from './telemetry.ts';

/** How many events are in which stage right now. */
export class StageBoard {
  readonly #counts = new Map<Stage, number>();

  get counts(): ReadonlyMap<Stage, number> {
    return this.#counts;
  }

  /** Null: not yet on its way, or not any more. */
  move(from: Stage | null, to: Stage | null): void {
    if (from !== null) this.#counts.set(from, this.#of(from) - 1);
    if (to !== null) this.#counts.set(to, this.#of(to) + 1);
  }

  #of(stage: Stage): number {
    return this.#counts.get(stage) ?? 0;
  }
}
