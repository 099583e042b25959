import { describe, expect, it } from '@jest/globals';
import { drawSchedule, FAULT_KINDS, WEIGHTS } from '../../chaos/schedule.ts';

describe('the schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(drawSchedule(7, 50, 'at-least-once')).toEqual(drawSchedule(7, 50, 'at-least-once'));
    expect(drawSchedule(8, 50, 'at-least-once')).not.toEqual(drawSchedule(7, 50, 'at-least-once'));
  });

  it('has every kind as soon as it is long enough, and then as often as its weight says', () => {
    const kinds = drawSchedule(1, 4_000, 'at-least-once').map(({ kind }) => kind);
    expect(new Set(kinds.slice(0, FAULT_KINDS.length))).toEqual(new Set(FAULT_KINDS));
    const sum = Object.values<number>(WEIGHTS).reduce((a, b) => a + b);
    for (const kind of FAULT_KINDS) {
      const share = kinds.filter((drawn) => drawn === kind).length / kinds.length;
      expect(share / (WEIGHTS[kind] / sum)).toBeCloseTo(1, 0);
    }
  });

  it('crashes only at points that the delivery comes by', () => {
    const points = new Set(drawSchedule(1, 2_000, 'exactly-once').map(({ point }) => point));
    expect(points).toContain('transaction-offsets');
    expect(points).not.toContain('committing');
  });
});
