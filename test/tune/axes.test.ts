import { describe, expect, it } from '@jest/globals';
import { axesOf, type AxesOptions } from '../../src/tune/axes.ts';
import { settings } from '../support/tuning.ts';

/** What each axis tries, by its labels. */
function labels(options: Partial<AxesOptions>): Record<string, string[]> {
  const given = options.given ?? settings();
  const axes = axesOf({ cores: 4, executionProvider: 'cpu', fixed: new Set(), ...options, given });
  return Object.fromEntries(
    axes.map(({ title, steps, label }) => [
      title,
      steps.map((step) => label({ ...given, ...step })),
    ]),
  );
}

describe('axesOf', () => {
  it('shares the cores, or a part of them, out among workers of the same size', () => {
    expect(labels({ cores: 4 })['workers x threads']).toEqual([
      '1 x 1',
      '1 x 2',
      '1 x 4',
      '2 x 1',
      '2 x 2',
      '4 x 1',
    ]);
    expect(labels({ cores: 1 })['workers x threads']).toEqual(['1 x 1']);
    expect(labels({ cores: 6 })['workers x threads']).toContain('3 x 2');
  });

  it('never takes more threads than there are cores, and no more candidates than can be measured', () => {
    for (const cores of [1, 2, 3, 8, 12, 64, 96, 192]) {
      const steps = axesOf({
        cores,
        executionProvider: 'cpu',
        given: settings(),
        fixed: new Set(),
      })[0]?.steps;
      expect(steps?.every(({ workers = 0, threads = 0 }) => workers * threads <= cores)).toBe(true);
      expect(steps?.length).toBeLessThanOrEqual(40);
    }
  });

  it('tries larger batches on a GPU, and leaves its threads alone', () => {
    const cuda = labels({ executionProvider: 'cuda' });
    expect(cuda['batch size']).toEqual(['4', '8', '16', '32', '64', '128', '256']);
    expect(cuda['workers x threads']).toEqual(['1 x 4', '2 x 4', '4 x 4']);
    expect(labels({})['batch size']).toEqual(['1', '2', '4', '8', '16', '32']);
  });

  it('does not wait for batches, unless the configuration does', () => {
    expect(labels({})['wait for a batch']).toEqual([]);
    expect(labels({ given: settings({ maxWaitMs: 5 }) })['wait for a batch']).toEqual(['0 ms']);
  });

  it('changes nothing that a variable sets', () => {
    const fixed = labels({ fixed: new Set(['threads', 'decoders'] as const) });
    expect(fixed['workers x threads']).toEqual(['1 x 4']);
    expect(fixed['decoders']).toEqual(['4']);
  });
});
