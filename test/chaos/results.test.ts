import { describe, expect, it } from '@jest/globals';
import {
  brokenPromises,
  percentile,
  renderResults,
  type ChaosResults,
} from '../../chaos/results.ts';

function results(overrides: Partial<ChaosResults> = {}): ChaosResults {
  return {
    options: {
      kills: 2,
      events: 10,
      seed: 1,
      instances: 3,
      delivery: 'at-least-once',
      json: false,
    },
    struck: [
      { kind: 'instance killed', recoveryMs: 4_000 },
      { kind: 'broker killed', recoveryMs: 2_000 },
    ],
    events: 10,
    inputs: 10,
    verdicts: 12,
    lost: 0,
    duplicates: 2,
    conflicting: 0,
    deadLettersLost: 0,
    wrong: 0,
    endings: { SIGKILL: 1 },
    seconds: 30,
    date: '2026-01-31',
    command: 'npm run chaos',
    ...overrides,
  };
}

describe('the results of a chaos run', () => {
  it('allow duplicates at least once, and not exactly once', () => {
    expect(brokenPromises(results())).toEqual([]);
    const options = { ...results().options, delivery: 'exactly-once' as const };
    expect(brokenPromises(results({ options }))).toEqual(['2 duplicates']);
  });

  it.each(['lost', 'conflicting', 'deadLettersLost', 'wrong'] as const)(
    'never allow %s',
    (what) => {
      expect(brokenPromises(results({ [what]: 1 }))).toHaveLength(1);
      expect(renderResults(results({ [what]: 1 }))).toContain('BROKEN');
    },
  );

  it('tell percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.99, 1].map((part) => percentile(values, part))).toEqual([50, 99, 100]);
    expect(percentile([5], 0.5)).toBe(5);
  });

  it('name each kind that struck, and all together', () => {
    const text = renderResults(results());
    expect(text).toContain('instance killed');
    expect(text).not.toContain('rebalance storm');
    expect(text).toMatch(/all\s+│\s+2 │\s+2\.0 s │ 4\.0 s │\s+4\.0 s/);
    expect(text).toContain('The promise was kept.');
  });
});
