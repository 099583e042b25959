import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Gate } from '../src/gate.ts';
import { settle } from './support/fake-clock.ts';

describe('Gate', () => {
  it('never admits more than its count and weight, and admits everybody in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 30 }),
        async (weights, maxCount, maxWeight) => {
          const gate = new Gate(maxCount, maxWeight);
          const order: number[] = [];
          let inside = 0;
          let load = 0;
          await Promise.all(
            weights.map(async (weight, index) => {
              await gate.enter(weight);
              order.push(index);
              inside += 1;
              load += weight;
              expect(inside).toBeLessThanOrEqual(maxCount);
              expect(inside === 1 || load <= maxWeight).toBe(true);
              await Promise.resolve();
              inside -= 1;
              load -= weight;
              gate.leave(weight);
            }),
          );
          expect(order).toEqual(weights.map((_, index) => index));
          expect(gate.count).toBe(0);
        },
      ),
    );
  });

  it('lets one that comes back in before newcomers, and beyond the limits while all inside rest', async () => {
    const gate = new Gate(2, 10);
    const order: string[] = [];
    await Promise.all([gate.enter(5), gate.enter(5)]);
    void gate.enter(5).then(() => order.push('newcomer'));
    void gate.enterAgain(5).then(() => order.push('back'));
    void gate.enterAgain(5).then(() => order.push('back, second'));
    gate.rest();
    await settle();
    expect(order).toEqual([]); // one inside is at work
    gate.rest();
    await settle();
    expect(order).toEqual(['back']);
    gate.rest();
    await settle();
    expect(order).toEqual(['back', 'back, second']);
    for (let left = 0; left < 3; left += 1) {
      gate.wake();
      gate.leave(5);
    }
    await settle();
    expect(order).toEqual(['back', 'back, second', 'newcomer']);
    expect(gate.count).toBe(2);
  });

  it('does not count one that rests, but what it weighs', async () => {
    const gate = new Gate(1, 10);
    const order: string[] = [];
    await gate.enter(4);
    void gate.enter(4).then(() => order.push('light'));
    void gate.enter(4).then(() => order.push('heavy'));
    gate.rest();
    await settle();
    expect(order).toEqual(['light']);
    gate.rest();
    await settle();
    expect(order).toEqual(['light']);
    gate.wake();
    gate.leave(4);
    await settle();
    expect(order).toEqual(['light', 'heavy']);
  });

  it('admits one item that is heavier than the whole gate', async () => {
    const gate = new Gate(2, 10);
    await gate.enter(99);
    let second = false;
    const waiting = gate.enter(1).then(() => (second = true));
    await settle();
    expect(second).toBe(false);
    gate.leave(99);
    await waiting;
    expect(gate.count).toBe(1);
  });
});
