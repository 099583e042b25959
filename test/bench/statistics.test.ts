import { describe, expect, it } from '@jest/globals';
import { eventsPerSecond, percentilesOf, spreadOf, windowOf } from '../../bench/statistics.ts';

describe('spreadOf', () => {
  it('takes the middle value, or the mean of the two in the middle', () => {
    expect(spreadOf([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9, values: [5, 1, 9] });
    expect(spreadOf([4, 1, 2, 9]).median).toBe(3);
  });

  it('refuses to make a figure of nothing', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('percentilesOf', () => {
  it('takes the nearest rank, so that each is a value that was measured', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentilesOf(values)).toEqual({ p50: 100, p90: 180, p99: 198 });
    expect(percentilesOf([7])).toEqual({ p50: 7, p90: 7, p99: 7 });
  });

  it('refuses to make a figure of nothing', () => {
    expect(() => percentilesOf([])).toThrow(RangeError);
  });
});

describe('windowOf', () => {
  it('begins with the last event that warms up and counts what came after it', () => {
    expect(windowOf([400, 100, 200, 300], 2)).toEqual({ from: 200, until: 400, events: 2 });
  });

  it('does not count the rest of the batch in which it begins', () => {
    const moments = [100, 100, 100, 100, 200, 200, 200, 200];
    const window = windowOf(moments, 2);
    expect(window).toEqual({ from: 100, until: 200, events: 4 });
    expect(eventsPerSecond(window)).toBe(40);
  });

  it('refuses when every event was one that warms up', () => {
    expect(() => windowOf([100, 100, 100], 1)).toThrow('warming up');
  });
});
