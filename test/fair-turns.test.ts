import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FairTurns } from '../src/fair-turns.ts';

const weights = fc.integer({ min: 1, max: 8 });
const costs = fc.integer({ min: 1, max: 100 });

/** Rounding of many sums of fractions. */
const EPSILON = 1e-6;

interface Flow {
  name: number;
  weight: number;
  /** What it was charged for, corrections included. */
  work: number;
  /** Its largest single charge. */
  largest: number;
}

function flowsOf(turns: FairTurns<Flow>, flowWeights: readonly number[]): Flow[] {
  return flowWeights.map((weight, name) => {
    const flow = { name, weight, work: 0, largest: 0 };
    turns.add(flow, weight);
    return flow;
  });
}

function charge(turns: FairTurns<Flow>, flow: Flow, cost: number): void {
  turns.charge(flow, cost);
  flow.work += cost;
  flow.largest = Math.max(flow.largest, cost);
}

/** Checks the bound of start-time fair queueing for every pair of flows that were ready all the time. */
function requireFair(flows: readonly Flow[], since = new Map<Flow, number>(), slack = 1): void {
  for (const a of flows) {
    for (const b of flows) {
      const share = (flow: Flow): number => (flow.work - (since.get(flow) ?? 0)) / flow.weight;
      const bound = slack * (a.largest / a.weight + b.largest / b.weight);
      const difference = Math.abs(share(a) - share(b));
      if (difference > bound + EPSILON) expect(difference).toBeLessThanOrEqual(bound);
    }
  }
}

describe('fair turns', () => {
  it('give a turn whenever some flow is ready, and only to one that is', () => {
    fc.assert(
      fc.property(
        fc.array(weights, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), costs)),
        (flowWeights, steps) => {
          const turns = new FairTurns<Flow>();
          const flows = flowsOf(turns, flowWeights);
          for (const [ready, cost] of steps) {
            const chosen = turns.next(({ name }) => ready[name] === true);
            expect(chosen !== undefined).toBe(flows.some(({ name }) => ready[name]));
            if (!chosen) continue;
            expect(ready[chosen.name]).toBe(true);
            charge(turns, chosen, cost);
          }
        },
      ),
    );
  });

  it('share by weight and cost: two busy flows differ by at most the largest charge of each', () => {
    fc.assert(
      fc.property(
        fc.array(weights, { minLength: 2, maxLength: 6 }),
        fc.array(costs, { maxLength: 200 }),
        (flowWeights, charges) => {
          const turns = new FairTurns<Flow>();
          const flows = flowsOf(turns, flowWeights);
          for (const cost of charges) {
            charge(turns, turns.next(() => true) as Flow, cost);
            requireFair(flows);
          }
        },
      ),
    );
  });

  it('keep the bound for flows that are always ready, whatever comes and goes beside them', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            cost: costs,
            add: fc.option(weights),
            remove: fc.boolean(),
            ready: fc.boolean(),
          }),
          { maxLength: 200 },
        ),
        (steps) => {
          const turns = new FairTurns<Flow>();
          const steady = flowsOf(turns, [1, 3]);
          const guests: Flow[] = [];
          for (const { cost, add, remove, ready } of steps) {
            if (remove) {
              const gone = guests.shift();
              if (gone) turns.remove(gone);
            }
            if (add !== null) {
              const guest = { name: 9, weight: add, work: 0, largest: 0 };
              guests.push(guest);
              turns.add(guest, add);
            }
            const chosen = turns.next((flow) => steady.includes(flow) || ready) as Flow;
            charge(turns, chosen, cost);
            requireFair(steady);
          }
        },
      ),
    );
  });

  it('starve no flow: a newcomer waits for at most one turn of each of the others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(costs, { maxLength: 50 }),
        (others, charges) => {
          const turns = new FairTurns<Flow>();
          flowsOf(turns, Array(others).fill(1) as number[]);
          for (const cost of charges) charge(turns, turns.next(() => true) as Flow, cost);
          const newcomer = { name: 99, weight: 1, work: 0, largest: 0 };
          turns.add(newcomer);
          for (let turn = 0; turn <= others; turn += 1) {
            const chosen = turns.next(() => true) as Flow;
            if (chosen === newcomer) return;
            charge(turns, chosen, 1_000);
          }
          throw new Error('the newcomer had no turn');
        },
      ),
    );
  });

  it('let an idle flow save nothing up: back among busy ones, it gets its share and no more', () => {
    fc.assert(
      fc.property(
        weights,
        weights,
        fc.array(costs, { minLength: 1, maxLength: 100 }),
        fc.array(costs, { minLength: 1, maxLength: 100 }),
        (busyWeight, idleWeight, alone, together) => {
          const turns = new FairTurns<Flow>();
          const [busy, idle] = flowsOf(turns, [busyWeight, idleWeight]) as [Flow, Flow];
          for (const cost of alone) {
            expect(turns.next((flow) => flow === busy)).toBe(busy);
            charge(turns, busy, cost);
          }
          const since = new Map([[busy, busy.work]]);
          for (const cost of together) {
            charge(turns, turns.next(() => true) as Flow, cost);
            requireFair([busy, idle], since);
          }
        },
      ),
    );
  });

  it('keep a bound when a turn is corrected late: as many charges more as are not corrected yet', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(costs, costs), { maxLength: 300 }),
        fc.integer({ min: 0, max: 5 }),
        (turnsTaken, maxOpen) => {
          const turns = new FairTurns<Flow>();
          const flows = flowsOf(turns, [1, 2]);
          const open = new Map<Flow, number[]>(flows.map((flow) => [flow, []]));
          for (const [guess, cost] of turnsTaken) {
            const flow = turns.next(() => true) as Flow;
            charge(turns, flow, guess);
            flow.largest = Math.max(flow.largest, cost);
            const corrections = open.get(flow) as number[];
            corrections.push(cost - guess);
            if (corrections.length > maxOpen) charge(turns, flow, corrections.shift() as number);
            requireFair(flows, undefined, maxOpen + 1);
          }
        },
      ),
    );
  });

  it('give nothing to a flow that was removed, and forget what is charged to it', () => {
    const turns = new FairTurns<string>();
    turns.add('stays');
    turns.add('goes');
    turns.remove('goes');
    turns.charge('goes', 5);
    expect([turns.next(() => true), turns.next((flow) => flow === 'goes')]).toEqual([
      'stays',
      undefined,
    ]);
  });
});
