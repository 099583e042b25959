import { describe, expect, it } from '@jest/globals';
import type { Case } from '../../fuzz/cases.ts';
import { brokenPromises, exitCodeOf, renderResults, type FuzzResults } from '../../fuzz/results.ts';
import type { Session } from '../../fuzz/session.ts';
import { Tally } from '../../fuzz/tally.ts';

const aCase = (number: number): Case => {
  return { number, name: `file ${number}`, bytes: Buffer.alloc(1), format: 'png' };
};
const outcome = (number: number, code: string | null, ms = 1) => {
  return { number, outcome: code === null ? 'allow' : 'not_inspected', code, ms } as const;
};

function results(over: Partial<FuzzResults> = {}, session: Partial<Session> = {}): FuzzResults {
  const tally = new Tally(1_000);
  tally.add(aCase(1), outcome(1, null, 20));
  tally.add({ ...aCase(2), format: null }, outcome(2, 'image_format_unsupported'));
  tally.add(aCase(3), outcome(3, 'image_decode_crashed', 900));
  return {
    options: { cases: 3, seed: 5, decoders: 2 },
    session: {
      cases: 3,
      withoutOutcome: [],
      surplus: [],
      ending: 'exit 0',
      restarts: { crash: 2, timeout: 0, memory: 0, recycled: 1 },
      ...session,
    },
    tally,
    maxMs: 1_000,
    decoder: { peak: 300, bound: 1_024 },
    service: { peak: 400, bound: 700 },
    seconds: 4,
    date: '2026-01-01',
    ...over,
  };
}

describe('brokenPromises', () => {
  it('allows a case that crashes its decoder process', () => {
    expect(brokenPromises(results())).toEqual([]);
    expect(exitCodeOf(results())).toBe(0);
  });

  it.each<[string, FuzzResults]>([
    ['1 cases without outcome', results({}, { withoutOutcome: [aCase(9)] })],
    ['1 outcomes too many', results({}, { surplus: [outcome(1, null)] })],
    ['the service ended: SIGSEGV', results({}, { ending: 'SIGSEGV' })],
    [
      'a decoder process took 1025 MiB, over 1024 MiB',
      results({ decoder: { peak: 1_025, bound: 1_024 } }),
    ],
    ['a service took 701 MiB, over 700 MiB', results({ service: { peak: 701, bound: 700 } })],
  ])('does not allow that %s', (what, broken) => {
    expect(brokenPromises(broken)).toEqual([what]);
    expect(exitCodeOf(broken)).toBe(1);
    expect(renderResults(broken)).toContain(`BROKEN: ${what}.`);
  });

  it('does not allow a case over its time', () => {
    const tally = new Tally(1_000);
    tally.add(aCase(1), outcome(1, null, 1_001));
    expect(brokenPromises(results({ tally }))).toEqual(['1 cases over their time']);
  });

  it('cannot hold memory against its bound where nobody tells it', () => {
    expect(brokenPromises(results({ decoder: { peak: null, bound: 1 } }))).toEqual([]);
  });
});

describe('renderResults', () => {
  const rendered = renderResults(results());

  it('counts outcomes by code and format', () => {
    expect(rendered).toMatch(/allow +│ +│ +1 │.*│ +1 │/);
    expect(rendered).toMatch(/image_format_unsupported .*│ +1 │ +1 │/);
    expect(rendered).toMatch(/all +│ +0 │ +2 │.*│ +1 │ +3 │/);
  });

  it('says what was slowest, what crashed and how to repeat it', () => {
    expect(rendered).toContain('slowest case: 3 (file 3; image_decode_crashed, 900 ms)');
    expect(rendered).toContain('--seed 5 --case <number>');
    expect(rendered).toContain('crash 2, timeout 0, memory 0, recycled 1');
    expect(rendered).toContain('300 MiB of 1024 MiB');
    expect(rendered).toContain('The promise was kept.');
  });

  it('names a case without outcome', () => {
    const broken = results({}, { withoutOutcome: [aCase(9)] });
    expect(renderResults(broken)).toContain('WITHOUT OUTCOME: case 9, file 9');
  });
});
