import { describe, expect, it } from '@jest/globals';
import { parseOptions } from '../../bench/options.ts';
import { highestServiceMiB, ratiosOf, rowOf, unsteady } from '../../bench/results.ts';
import type { Measurement, TrialName } from '../../bench/trial.ts';

const measured = (...rates: number[]): Measurement[] =>
  rates.map((rate) => ({
    rate,
    usage: { service: { processes: 1, peakMiB: rate, cpuPer1000: rate } },
  }));

const row = (name: TrialName, ...rates: number[]) =>
  rowOf({ name, title: name }, measured(...rates), null);

describe('rowOf', () => {
  it('keeps the highest memory and the median CPU time of the rounds', () => {
    expect(row('service', 10, 30, 20).usage).toEqual({
      service: { processes: 1, peakMiB: 30, cpuPer1000: 20 },
    });
  });

  it('has a reason instead of a figure for what could not be run', () => {
    const naive = rowOf({ name: 'naive', title: 'naive' }, [], 'npm ci failed');
    expect(naive).toMatchObject({ rate: null, fault: 'npm ci failed' });
    expect(ratiosOf([row('service', 10), naive], 'service')).toEqual([]);
  });
});

describe('ratiosOf', () => {
  it('compares round by round, so that a slow minute of the machine strikes both alike', () => {
    const [ratio] = ratiosOf([row('service', 100, 10, 50), row('bare', 200, 20, 100)], 'service');
    expect(ratio).toMatchObject({
      of: 'service',
      over: 'bare',
      ratio: { median: 0.5, min: 0.5, max: 0.5 },
    });
  });
});

describe('ratiosOf, where a row sat a round out', () => {
  it('compares the rounds of both', () => {
    const [ratio] = ratiosOf([row('service', 90, 80, 10), row('naive', 30, 40)], 'service');
    expect(ratio?.ratio.values).toEqual([3, 2]);
  });

  it('compares nothing with a row that failed half way', () => {
    const failed = rowOf({ name: 'naive', title: 'naive' }, measured(30), 'it ended');
    expect(ratiosOf([row('service', 90, 80), failed], 'service')).toEqual([]);
  });
});

describe('unsteady', () => {
  it('names the rows whose rounds differ by more than a quarter', () => {
    const rows = [row('service', 100, 90, 95), row('pipeline', 29, 43, 68)];
    expect(unsteady(rows).map(({ name }) => name)).toEqual(['pipeline']);
  });
});

describe('highestServiceMiB', () => {
  it('looks at every run of the service, not only at those with a long backlog', () => {
    const backlogs = [{ events: 600, rate: 70, usage: row('service', 681).usage }];
    expect(highestServiceMiB({ rows: [row('service', 690, 747)], backlogs })).toBe(747);
  });

  it('says nothing where the service was not run', () => {
    expect(highestServiceMiB({ rows: [], backlogs: [] })).toBeNull();
  });
});

describe('parseOptions', () => {
  it('runs only what is asked for', () => {
    const options = parseOptions(['node', 'run.ts', '--only', 'service, bare', '--rounds', '1']);
    expect([...options.only]).toEqual(['service', 'bare']);
    expect(options).toMatchObject({ rounds: 1, events: 600, json: false });
  });

  it('takes the letter of a group for its rows', () => {
    const { only } = parseOptions(['node', 'run.ts', '--only', 'b,pool']);
    expect([...only]).toEqual(['service', 'naive', 'python', 'pool']);
  });

  it('does everything in little in a smoke run, but for what is given and what installs packages', () => {
    const options = parseOptions(['node', 'run.ts', '--smoke', '--rounds', '2']);
    expect(options).toMatchObject({ rounds: 2, events: 48 });
    expect(options.only.has('service')).toBe(true);
    expect(options.only.has('python')).toBe(false);
  });
});
