import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import { Batcher, type BatcherOptions } from '../../src/model/batcher.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

type Run = BatcherOptions<number, number>['run'];

const double: Run = (batch) => Promise.resolve(batch.map((n) => n * 2));
const refused = (): AppError => new AppError('inference_failed', 'running a batch: refused');

function batcherOf(run: Run, options: Partial<BatcherOptions<number, number>> = {}) {
  const clock = new FakeClock();
  const batches: number[] = [];
  const batcher = new Batcher<number, number>({
    run: (batch) => {
      batches.push(batch.length);
      return run(batch);
    },
    probe: () => Promise.resolve(),
    maxBatchSize: 4,
    clock,
    ...options,
  });
  return { batcher, batches, clock };
}

const values = async (results: Array<Promise<{ value: number }>>): Promise<number[]> =>
  (await Promise.all(results)).map((result) => result.value);

describe('Batcher', () => {
  it('gives every item its own output, whatever the sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        async (items, maxBatchSize, concurrency) => {
          const options = { maxBatchSize, concurrency };
          const { batcher, batches } = batcherOf(double, options);
          expect(await values(items.map((n) => batcher.submit(n)))).toEqual(
            items.map((n) => n * 2),
          );
          expect(Math.max(0, ...batches)).toBeLessThanOrEqual(maxBatchSize);
          expect(batches.reduce((sum, size) => sum + size, 0)).toBe(items.length);
        },
      ),
    );
  });

  it('lets the next batch fill while one runs, and never runs two at once', async () => {
    let running = 0;
    const release: Array<() => void> = [];
    const { batcher, batches } = batcherOf(async (batch) => {
      running += 1;
      expect(running).toBe(1);
      await new Promise<void>((resolve) => release.push(resolve));
      running -= 1;
      return double(batch);
    });
    const first = batcher.submit(1);
    await settle();
    const rest = [2, 3, 4, 5, 6].map((n) => batcher.submit(n));
    await settle();
    expect(batches).toEqual([1]);
    for (let i = 0; i < 3; i += 1) {
      release.shift()?.();
      await settle();
    }
    expect(await values([first, ...rest])).toEqual([2, 4, 6, 8, 10, 12]);
    expect(batches).toEqual([1, 4, 1]);
  });

  it('runs as many batches at once as it is told to, and no more', async () => {
    const release: Array<() => void> = [];
    const hold: Run = async (batch) => {
      await new Promise<void>((resolve) => release.push(resolve));
      return double(batch);
    };
    const { batcher, batches } = batcherOf(hold, { concurrency: 2 });
    const results = Array.from({ length: 11 }, (_, n) => batcher.submit(n));
    await settle();
    expect(batches).toEqual([4, 4]);
    release.pop()?.(); // the second is done first
    await settle();
    expect(batches).toEqual([4, 4, 3]);
    release.splice(0).forEach((go) => go());
    expect(await values(results)).toEqual(Array.from({ length: 11 }, (_, n) => n * 2));
  });

  it('shares what waits among the batches that can start', async () => {
    const release: Array<() => void> = [];
    const hold: Run = async (batch) => {
      await new Promise<void>((resolve) => release.push(resolve));
      return double(batch);
    };
    const { batcher, batches } = batcherOf(hold, { concurrency: 3, maxBatchSize: 8 });
    const first = Array.from({ length: 7 }, (_, n) => batcher.submit(n));
    await settle();
    expect(batches).toEqual([3, 2, 2]);
    const later = Array.from({ length: 6 }, (_, n) => batcher.submit(7 + n));
    release.splice(0, 1).forEach((go) => go());
    await settle();
    expect(batches).toEqual([3, 2, 2, 6]); // nobody else is idle
    release.splice(0).forEach((go) => go());
    await values([...first, ...later]);
  });

  it('shares nothing where full batches are worth a wait', async () => {
    const { batcher, batches, clock } = batcherOf(double, { concurrency: 2, maxWaitMs: 50 });
    const results = [1, 2, 3].map((n) => batcher.submit(n));
    await clock.advance(50);
    await values(results);
    expect(batches).toEqual([3]);
  });

  it('waits maxWaitMs for an incomplete batch, and not once it is full', async () => {
    const { batcher, batches, clock } = batcherOf(double, { maxWaitMs: 50 });
    const slow = batcher.submit(1);
    await clock.advance(49);
    expect(batches).toEqual([]);
    await clock.advance(1);
    expect((await slow).queueMs).toBe(50);

    const full = [1, 2, 3, 4].map((n) => batcher.submit(n));
    await settle();
    await Promise.all(full);
    expect(batches).toEqual([1, 4]);
    expect(clock.sleeping).toBe(0);
  });

  it('lets a poison item sink only itself', async () => {
    const { batcher, batches } = batcherOf((batch) =>
      batch.includes(3) ? Promise.reject(refused()) : double(batch),
    );
    const results = await Promise.allSettled([1, 2, 3, 4].map((n) => batcher.submit(n)));
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(results[2]).toMatchObject({ reason: { code: 'inference_failed' } });
    expect(batches).toEqual([4, 1, 1, 1, 1, 1]);
  });

  it.each([2, 3, 5])(
    'blames no image for a fault of the device that passes after %d runs',
    async (n) => {
      let faults = n;
      const { batcher } = batcherOf((batch) =>
        faults-- > 0 ? Promise.reject(refused()) : double(batch),
      );
      expect(await values([1, 2, 3, 4].map((item) => batcher.submit(item)))).toEqual([2, 4, 6, 8]);
    },
  );

  it('blames the image when a lone one fails and the probe succeeds', async () => {
    const { batcher } = batcherOf(() => Promise.reject(refused()));
    await expect(batcher.submit(1)).rejects.toMatchObject({ code: 'inference_failed' });
  });

  it('blames the encoder when the probe fails too', async () => {
    const { batcher } = batcherOf(() => Promise.reject(refused()), {
      probe: () => Promise.reject(refused()),
    });
    const results = await Promise.allSettled([1, 2].map((n) => batcher.submit(n)));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'encoder_failed' } });
    }
  });

  it('does not retry what no item can be blamed for', async () => {
    const { batcher, batches } = batcherOf(() =>
      Promise.reject(new AppError('encoder_failed', 'the worker exited')),
    );
    const results = await Promise.allSettled([1, 2].map((n) => batcher.submit(n)));
    expect(results).toHaveLength(2);
    for (const result of results)
      expect(result).toMatchObject({ reason: { code: 'encoder_failed' } });
    expect(batches).toEqual([2]);
  });

  it('refuses outputs that do not count up to the inputs', async () => {
    const { batcher } = batcherOf((batch) => Promise.resolve(batch.slice(1)));
    const results = await Promise.allSettled([1, 2].map((n) => batcher.submit(n)));
    for (const result of results) {
      expect(result).toMatchObject({ reason: { code: 'inference_failed' } });
    }
  });

  it('reports batches and how long items waited', async () => {
    const seen: Array<[number, number]> = [];
    const { batcher, clock } = batcherOf(
      async (batch) => {
        await clock.sleep(7);
        return double(batch);
      },
      { onBatch: (size, ms) => seen.push([size, ms]) },
    );
    const results = Promise.all([1, 2].map((n) => batcher.submit(n)));
    await clock.advance(7);
    expect(seen).toEqual([[2, 7]]);
    expect((await results)[0]).toEqual({ value: 2, queueMs: 0, inferMs: 7, batchSize: 2 });
  });
});
