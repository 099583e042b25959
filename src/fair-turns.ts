/**
 * Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996): whose turn it is among flows that share something,
 * by weight and by cost. A flow that was idle saves nothing up, and one that is alone gets everything.
 *
 * Bound: between two flows that both always have work, what they were charged for, divided by their weights, differs
 * by at most the largest single charge of each, divided by its weight.
 */
export class FairTurns<F> {
  readonly #flows = new Map<F, FlowState>();
  /** Virtual time: the start tag of the turn that was given last. */
  #now = 0;

  /** @param weight - its share against that of the others; more than 0 */
  add(flow: F, weight = 1): void {
    this.#flows.set(flow, { weight, start: this.#now, isActive: false });
  }

  remove(flow: F): void {
    this.#flows.delete(flow);
  }

  /** The ready flow whose turn it is; undefined when none is ready. Charge it for what it takes. */
  next(isReady: (flow: F) => boolean): F | undefined {
    let chosen: F | undefined;
    let chosenStart = Infinity;
    for (const [flow, state] of this.#flows) {
      if (!isReady(flow)) {
        state.isActive = false;
        continue;
      }
      if (!state.isActive) {
        state.isActive = true;
        state.start = Math.max(state.start, this.#now);
      }
      if (state.start < chosenStart) {
        chosen = flow;
        chosenStart = state.start;
      }
    }
    if (chosen !== undefined) this.#now = Math.max(this.#now, chosenStart);
    return chosen;
  }

  /** True while the flow has used more than those that had their turn: it has to wait for them. */
  owes(flow: F): boolean {
    return (this.#flows.get(flow)?.start ?? 0) > this.#now;
  }

  /** @param cost - what a turn cost, or a correction of that; may be negative */
  charge(flow: F, cost: number): void {
    const state = this.#flows.get(flow);
    if (state) state.start += cost / state.weight;
  }
}

interface FlowState {
  readonly weight: number;
  /** Start tag of its next turn. */
  start: number;
  /** It was ready when a turn was given last. */
  isActive: boolean;
}
