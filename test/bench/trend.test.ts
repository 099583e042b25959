import { describe, expect, it } from '@jest/globals';
import { fitLine, holdsZero, trendOf } from '../../bench/trend.ts';

describe('fitLine', () => {
  it('finds a line that there is', () => {
    const points = [1, 2, 3, 4].map((x) => ({ x, y: 3 * x - 5 }));
    expect(fitLine(points)).toEqual({ slope: 3, standardError: 0 });
  });

  it("gives the slope's standard error as a textbook does", () => {
    // Residuals about y = 1.5 + 0.9 x are −0.4, 0.7, −0.2, −0.1: their squares' sum, 0.7, over 2 and over Σ(x − x̄)² = 5.
    const points = [
      { x: 1, y: 2 },
      { x: 2, y: 4 },
      { x: 3, y: 4 },
      { x: 4, y: 5 },
    ];
    const { slope, standardError } = fitLine(points);
    expect(slope).toBeCloseTo(0.9, 10);
    expect(standardError).toBeCloseTo(Math.sqrt(0.7 / 2 / 5), 10);
  });
});

describe('trendOf', () => {
  const everySecond = (value: (second: number) => number) =>
    Array.from({ length: 600 }, (_, second) => ({ at: second * 1000, value: value(second) }));
  /** A saw, as of a heap that grows until it is collected. */
  const saw = (second: number): number => 300 + (second % 7);

  it('is per hour', () => {
    const { perHour, halfWidth } = trendOf(everySecond((second) => 300 + second / 60));
    expect(perHour).toBeCloseTo(60, 6);
    expect(halfWidth).toBeCloseTo(0, 6);
  });

  it('does not take a saw for growth', () => {
    expect(holdsZero(trendOf(everySecond(saw)))).toBe(true);
  });

  it('finds the growth under a saw', () => {
    const trend = trendOf(everySecond((second) => saw(second) + second / 60));
    expect(holdsZero(trend)).toBe(false);
    expect(Math.abs(trend.perHour - 60)).toBeLessThan(trend.halfWidth + 1);
  });

  it('refuses to tell of a few samples', () => {
    expect(() => trendOf(everySecond(saw).slice(0, 19))).toThrow(RangeError);
  });
});
