import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createDecoderPool, type DecoderPool } from '../../src/images/decoder-pool.ts';
import { packageFile } from '../../src/package-files.ts';
import { clipSpec } from '../support/tiny-clip.ts';

const MIB = 2 ** 20;
const none = { crash: 0, timeout: 0, memory: 0, recycled: 0 };
let pool: DecoderPool;

/** A bare process takes about 50 MiB. */
function start(memoryMiB: number): DecoderPool {
  pool = createDecoderPool({
    preprocess: clipSpec,
    processes: 1,
    timeoutMs: 10_000,
    memoryBytes: memoryMiB * MIB,
    maxPixels: 1e7,
    maxEdge: 65_535,
    maxFrames: 100,
    script: pathToFileURL(packageFile('test/support/crashing-decoder.ts')),
  });
  return pool;
}
afterEach(() => pool.close());

const ask = (text: string) => pool.decode(Buffer.from(text));

describe('memory of a decoder process', () => {
  it('beyond its bound ends it at once, and costs the image that took it alone', async () => {
    start(300);
    await pool.ready();
    const [pid] = pool.pids;
    const [growing, next] = [ask('grow'), ask('next')];
    await expect(growing).rejects.toMatchObject({
      code: 'image_decode_memory',
      disposition: 'not-inspected',
      message: expect.stringMatching(/its process took \d+ MiB, more than 300 MiB/),
    });
    await expect(next).resolves.toMatchObject({ width: 1 });
    expect(pool.pids).not.toContain(pid);
    expect(pool.restarts).toEqual({ ...none, memory: 1 });
  });

  it('that is not given back ends it between two images, which both are decoded', async () => {
    start(300);
    const images = [ask('hoard'), ask('next')];
    await pool.ready();
    const [pid] = pool.pids;
    await expect(Promise.all(images)).resolves.toHaveLength(2);
    expect(pool.pids).not.toContain(pid);
    expect(pool.restarts).toEqual({ ...none, recycled: 1 });
  });

  it('below half of the bound is kept', async () => {
    start(1_000);
    await pool.ready();
    const { pids } = pool;
    await ask('hoard');
    await ask('next');
    expect(pool.pids).toEqual(pids);
    expect(pool.restarts).toEqual(none);
  });

  it('is what the kernel takes back first', async () => {
    start(300);
    await pool.ready();
    const [pid = 0] = pool.pids;
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('1000');
  });
});

describe('restarts', () => {
  it('are counted by what they are put down to', async () => {
    start(300);
    const images = ['exit', 'grow', 'hoard', 'last'].map(ask);
    const codes = (await Promise.allSettled(images)).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'decoded',
    );
    expect(codes).toEqual(['image_decode_crashed', 'image_decode_memory', 'decoded', 'decoded']);
    expect(pool.restarts).toEqual({ crash: 2, timeout: 0, memory: 1, recycled: 1 });
  });
});
