import { describe, expect, it } from '@jest/globals';
import { ThroughputMeter, type Throughput } from '../../src/tune/throughput.ts';

/** Batches of `size` that end every `everyMs`, until enough is counted or `batches` of them have ended. */
async function count(
  {
    seconds,
    concurrency = 1,
    size,
    everyMs,
  }: Record<'seconds' | 'size' | 'everyMs', number> & {
    concurrency?: number;
  },
  batches = 10_000,
): Promise<{ throughput: Throughput | null; batches: number }> {
  let now = 0;
  const counted: Throughput[] = [];
  const meter = new ThroughputMeter({ seconds, concurrency, elapsed: () => now });
  void meter.finished.then((throughput) => counted.push(throughput));
  for (let batch = 1; batch <= batches; batch += 1) {
    now += everyMs;
    meter.batch(size, everyMs);
    for (let image = 0; image < size; image += 1) meter.image();
    await Promise.resolve();
    if (counted[0] !== undefined) return { throughput: counted[0], batches: batch };
  }
  return { throughput: null, batches };
}

describe('ThroughputMeter', () => {
  it.each([
    ['small batches', 1, 7, 1000 / 7],
    ['batches that do not fit the time', 32, 700, 32 / 0.7],
    ['batches that take longer than the time', 32, 5_000, 32 / 5],
  ])('is exact for %s', async (_, size, everyMs, rate) => {
    const { throughput } = await count({ seconds: 1, size, everyMs });
    expect(throughput?.imagesPerSecond).toBeCloseTo(rate);
    expect(throughput).toMatchObject({ batchMs: everyMs, batchSize: size });
  });

  it('counts after a warm-up of half its time', async () => {
    expect((await count({ seconds: 1, size: 1, everyMs: 100 })).batches).toBe(5 + 10);
  });

  it('lets every worker warm up with two batches and counts three, however long they take', async () => {
    const { batches } = await count({ seconds: 1, concurrency: 2, size: 1, everyMs: 5_000 });
    expect(batches).toBe(2 * 2 + 2 * 3);
  });

  it('does not end before', async () => {
    const { throughput } = await count({ seconds: 1, size: 1, everyMs: 100 }, 14);
    expect(throughput).toBeNull();
  });
});
