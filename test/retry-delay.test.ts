import { expect, it } from '@jest/globals';
import { retryDelay } from '../src/retry-delay.ts';

it('doubles from attempt to attempt, up to fifteen seconds, half of it by chance', () => {
  const longest = [1, 2, 3, 7, 8, 100].map((attempt) => retryDelay(attempt, () => 1));
  expect(longest).toEqual([200, 400, 800, 12_800, 15_000, 15_000]);
  expect(retryDelay(2, () => 0)).toBe(200);
});
