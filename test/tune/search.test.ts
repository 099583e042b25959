import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { axesOf } from '../../src/tune/axes.ts';
import type { Measurement } from '../../src/tune/choose.ts';
import { changesOf } from '../../src/tune/reasons.ts';
import { search, type Tuning } from '../../src/tune/search.ts';
import type { Settings } from '../../src/tune/settings.ts';
import { measurement, settings } from '../support/tuning.ts';

type Machine = (settings: Settings, trial: number) => Partial<Measurement>;

const given = settings();

/** Searches on a machine of four cores that is a function; `tried` are all its trials, in order. */
async function searchOn(
  machine: Machine,
  options: Partial<Parameters<typeof search>[0]> = {},
): Promise<{ tuning: Tuning; tried: Settings[] }> {
  const tried: Settings[] = [];
  const from = options.given ?? given;
  const tuning = await search({
    given: from,
    axes: axesOf({ cores: 4, executionProvider: 'cpu', given: from, fixed: new Set() }),
    devices: 1,
    mayRaiseInFlight: true,
    measure: (candidate) => {
      tried.push(candidate);
      const figures = machine(candidate, tried.length);
      return Promise.resolve(measurement({ batchSize: candidate.maxBatchSize, ...figures }));
    },
    rounds: 3,
    seconds: 3,
    maxMemoryMiB: Infinity,
    ...options,
  });
  return { tuning, tried };
}

/** Likes a worker for each core and batches of 16; memory as real ones take it. */
const likesWorkers: Machine = ({ workers, maxBatchSize, decoders }) => ({
  imagesPerSecond: 50 + 10 * workers + Math.min(maxBatchSize, 16) + decoders,
  memoryMiB: 200 + 100 * workers + 5 * maxBatchSize + 50 * decoders,
  batchMs: maxBatchSize * 10,
});

describe('search', () => {
  it('finds the best of each axis with the best of those before', async () => {
    const { tuning } = await searchOn(likesWorkers);
    expect(tuning.chosen).toMatchObject({ workers: 4, threads: 1, maxBatchSize: 16 });
    expect(tuning.final?.gain).toMatchObject({ won: 6, isSure: true });
  });

  it('says why, against what was there before', async () => {
    const { tuning } = await searchOn(likesWorkers);
    expect(changesOf(tuning)).toEqual([
      { name: 'workers', value: 4, why: '102 images/s against 72.0 with 1 x 4' },
      { name: 'threads', value: 1, why: 'with workers' },
      { name: 'maxBatchSize', value: 16, why: '110 images/s against 102 with 8' },
      expect.objectContaining({ name: 'decoders' }),
      expect.objectContaining({ name: 'maxInFlight' }),
    ]);
  });

  it('keeps what was given where nothing is surely faster', async () => {
    // The second half of the trials, the last comparison among them, tells what the first did not.
    const { tuning } = await searchOn((each, trial) =>
      trial <= 30 ? likesWorkers(each, trial) : { imagesPerSecond: 100 + (trial % 2) },
    );
    expect(tuning.final?.gain.isSure).toBe(false);
    expect(tuning.chosen).toBe(given);
    expect(changesOf(tuning)).toEqual([]);
  });

  it('changes nothing, and compares nothing, where all are alike', async () => {
    const { tuning } = await searchOn(() => ({}));
    expect(tuning).toMatchObject({ chosen: given, final: null });
  });

  it('runs the candidates in turn, and no more those that are far behind', async () => {
    const { tried } = await searchOn(
      ({ workers }) => ({ imagesPerSecond: workers === 1 ? 100 : 10 }),
      { axes: [{ ...axis('workers'), steps: [{ workers: 2 }] }] },
    );
    expect(tried.map(({ workers }) => workers)).toEqual([1, 2, 1, 1]);
  });

  it('tries nothing that would take more memory than there is', async () => {
    const { tuning, tried } = await searchOn(likesWorkers, { maxMemoryMiB: 600 });
    expect(Math.max(...tried.map((each) => likesWorkers(each, 0).memoryMiB ?? 0))).toBeLessThan(
      700,
    );
    expect(likesWorkers(tuning.chosen, 0).memoryMiB).toBeLessThanOrEqual(600);
    expect(tuning.stages[0]?.leftOut).toContainEqual(
      expect.objectContaining({ why: expect.stringMatching(/^would take about \d+ MiB of 600$/) }),
    );
  });

  it('tries no batches that cannot be measured, and none that would not fill', async () => {
    const why = ({ stages }: Tuning): string[] =>
      stages
        .filter(({ axis }) => axis.size === 'maxBatchSize')
        .flatMap(({ leftOut }) =>
          leftOut.map((each) => `${each.settings.maxBatchSize}: ${each.why}`),
        );
    const slow = await searchOn(({ maxBatchSize }) => ({ batchMs: 200 * maxBatchSize }));
    expect(why(slow.tuning)).toEqual([
      '16: a batch would take about 3.2 s; more --seconds measure it',
      '32: a batch would take about 6.4 s; more --seconds measure it',
    ]);
    const slack = await searchOn(({ maxBatchSize }) => ({ batchSize: Math.min(maxBatchSize, 3) }));
    expect(why(slack.tuning)).toEqual([
      '16: batches of 8 were not even half full',
      '32: batches of 8 were not even half full',
    ]);
  });

  it('takes slower settings where the given ones take too much memory', async () => {
    const large = settings({ workers: 4, threads: 1 });
    const { tuning } = await searchOn(likesWorkers, { given: large, maxMemoryMiB: 600 });
    expect(tuning.final).toMatchObject({ givenIsTooLarge: true, gain: { isSure: false } });
    expect(likesWorkers(tuning.chosen, 0).memoryMiB).toBeLessThanOrEqual(600);
  });

  it('leaves a candidate out whose process was killed', async () => {
    const { tuning } = await searchOn((each, trial) => {
      if (each.workers === 4) throw new AppError('trial_failed', 'SIGKILL');
      return likesWorkers(each, trial);
    });
    expect(tuning.chosen.workers).toBe(2);
    expect(tuning.stages[0]?.leftOut).toMatchObject([{ settings: { workers: 4 }, why: 'SIGKILL' }]);
  });

  it.each([
    ['of the given settings', 'trial_failed', 1],
    ['that no candidate can help', 'model_corrupt', 4],
  ] as const)('throws a fault %s', async (_, code, threads) => {
    const failing = searchOn((each) => {
      if (each.threads === threads || code === 'trial_failed') throw new AppError(code, 'why');
      return {};
    });
    await expect(failing).rejects.toMatchObject({ code });
  });

  it('raises what may be in flight so that every place is full, and lowers it never', async () => {
    const few = settings({ maxInFlight: 4 });
    const starving: Machine = ({ maxInFlight }) => ({ imagesPerSecond: Math.min(maxInFlight, 30) });
    const raised = await searchOn(starving, {
      given: few,
      axes: [{ ...axis('workers'), steps: [{ workers: 2 }] }],
    });
    // Decoders, batches and as many that wait; and 0.1 s at 30 images a second.
    expect(raised.tuning.chosen.maxInFlight).toBe(2 * (4 + 2 * 8) + 3);
    const many = await searchOn(likesWorkers, { given: settings({ maxInFlight: 1000 }) });
    expect(many.tuning.chosen.maxInFlight).toBe(1000);
  });
});

function axis(name: 'workers'): Parameters<typeof search>[0]['axes'][number] {
  return {
    title: name,
    names: [name],
    size: name,
    steps: [],
    label: (each) => `${each[name]}`,
  };
}
