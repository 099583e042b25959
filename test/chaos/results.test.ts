import { describe, expect, it } from '@jest/globals';
import {
  brokenPromises,
  percentile,
  renderResults,
  type ChaosResults,
} from '../../chaos/results.ts';

const results = (over: Partial<ChaosResults> = {}): ChaosResults => ({
  options: {
    kills: 2,
    events: 100,
    seed: 7,
    instances: 3,
    delivery: 'at-least-once',
    static: true,
    json: false,
  },
  schedule: [],
  struck: [
    { kind: 'instance killed', recoveryMs: 1_500 },
    { kind: 'broker killed', recoveryMs: Infinity },
  ],
  events: 100,
  inputs: 100,
  verdicts: 103,
  lost: 0,
  duplicates: 3,
  conflicting: 0,
  unknown: 0,
  undecodable: 0,
  deadLetters: 2,
  lostDeadLetters: 0,
  duplicateDeadLetters: 1,
  wrong: 0,
  quarantined: 0,
  endings: { SIGKILL: 1, 'exit 0': 3 },
  seconds: 12,
  date: '2026-01-01',
  command: 'npm run chaos -- --kills 2',
  ...over,
});

describe('brokenPromises', () => {
  it('allows duplicates at least once, and none exactly once', () => {
    expect(brokenPromises(results())).toEqual([]);
    const options = { ...results().options, delivery: 'exactly-once' as const };
    expect(brokenPromises(results({ options }))).toEqual([
      '3 duplicates',
      '1 duplicate dead letters',
    ]);
  });

  it.each(['lost', 'conflicting', 'unknown', 'undecodable', 'wrong'] as const)(
    'never allows %s',
    (what) => {
      expect(brokenPromises(results({ [what]: 1 }))).toEqual([`1 ${what}`]);
    },
  );
});

describe('percentile', () => {
  it('is the nearest rank', () => {
    expect([0.5, 0.99, 1].map((part) => percentile([4, 1, 3, 2], part))).toEqual([2, 4, 4]);
  });
});

describe('renderResults', () => {
  it('has a row for each kind that struck and one for all', () => {
    const rendered = renderResults(results());
    expect(rendered).toMatch(/instance killed +│ +1 │ +1\.5 s/);
    expect(rendered).toMatch(/broker killed +│ +1 │ +given up/);
    expect(rendered).toMatch(/all +│ +2 │ +1\.5 s │ +given up/);
    expect(rendered).not.toContain('rebalance storm');
  });

  it('says what was found and how instances ended', () => {
    expect(renderResults(results())).toContain('103 verdicts: 0 lost, 3 duplicates');
    expect(renderResults(results())).toContain('SIGKILL 1 times, exit 0 3 times');
    expect(renderResults(results({ lost: 2 }))).toContain('BROKEN: 2 lost.');
  });
});
