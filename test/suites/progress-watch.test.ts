import { describe, expect, it } from '@jest/globals';
import { hasMovedOn, type Standing } from '../../suites/progress-watch.ts';

const standings = (...committed: number[]): Standing[] =>
  committed.map((offset, partition) => ({ partition, committed: offset, end: 10 }));

describe('hasMovedOn', () => {
  it('asks every partition that had something to do for some progress', () => {
    expect(hasMovedOn(standings(3, 5), standings(4, 6))).toBe(true);
    expect(hasMovedOn(standings(3, 5), standings(4, 5))).toBe(false);
  });

  it('asks nothing of a partition that had nothing to do', () => {
    expect(hasMovedOn(standings(10, 5), standings(10, 6))).toBe(true);
    expect(hasMovedOn(standings(10, 10), standings(10, 10))).toBe(true);
  });

  it('does not take a partition that is not seen for one that has moved on', () => {
    expect(hasMovedOn(standings(0, 0), standings(1))).toBe(false);
  });
});
