import { describe, expect, it } from '@jest/globals';
import type { Contender } from '../../bench/gpu/contenders.ts';
import { measure } from '../../bench/gpu/measure.ts';
import { notesOn, rowOf } from '../../bench/gpu/report.ts';
import { parseOptions } from '../../bench/gpu/options.ts';
import { spreadOf } from '../../bench/statistics.ts';

const always = (rate: number): ReturnType<typeof spreadOf> => spreadOf([rate]);

describe('measuring on a GPU', () => {
  it('lets the contenders take turns, each with as many batches under way as it works on', async () => {
    const order: string[] = [];
    let underWay = 0;
    let most = 0;
    const contender = (name: string, concurrency: number): Contender => ({
      name,
      concurrency,
      run: async () => {
        order.push(name);
        most = Math.max(most, ++underWay);
        await new Promise(setImmediate);
        underWay--;
      },
      close: () => Promise.resolve(),
    });
    const rates = await measure([contender('a', 1), contender('b', 3)], 4, {
      rounds: 2,
      seconds: 0,
    });
    expect(order.join('')).toBe('abbbabbbabbb');
    expect(most).toBe(3);
    expect(rates.get('b')?.values).toHaveLength(2);
  });

  it('takes the copy from the bare runtime, and the ratio of medians to it', () => {
    const row = rowOf(
      { shape: 'b32', precision: 'float32', batch: 1 },
      new Map([
        ['encoder, 1 worker', always(80)],
        ['bare', always(100)],
        ['copy', always(1000)],
      ]),
    );
    expect(row.copyUs).toBeCloseTo(1_000);
    expect(row.computeUs).toBeCloseTo(9_000);
    expect(row.ratios).toEqual({ 'encoder, 1 worker': 0.8 });
  });

  it('marks a run on the CPU as a dry run, and no other', () => {
    const notes = (...argv: string[]): string =>
      notesOn(parseOptions(['node', 'run.ts', ...argv])).join('\n');
    expect(notes('--provider', 'cpu')).toContain('DRY RUN');
    expect(notes('--shapes', 'b16,l14', '--precision', 'fp16')).not.toContain('DRY RUN');
  });
});
