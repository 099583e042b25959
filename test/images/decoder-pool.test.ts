import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { afterEach, describe, expect, it } from '@jest/globals';

import {
  createDecoderPool,
  type DecoderPool,
  type DecoderPoolOptions,
} from '../../src/images/decoder-pool.ts';
import { packageFile } from '../../src/package-files.ts';
import { firstView } from '../support/decoded-image.ts';
import { clipSpec, parityImage } from '../support/tiny-clip.ts';

const crashing = pathToFileURL(packageFile('test/support/crashing-decoder.ts'));
const generous = { memoryBytes: 2 ** 30, maxPixels: 1e7, maxEdge: 65_535, maxFrames: 100 };
const none = { crash: 0, timeout: 0, memory: 0, recycled: 0 };
const pools: DecoderPool[] = [];

function start(options: Partial<DecoderPoolOptions> = {}): DecoderPool {
  const pool = createDecoderPool({
    preprocess: clipSpec,
    processes: 1,
    timeoutMs: 5_000,
    ...generous,
    script: crashing,
    ...options,
  });
  pools.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

const ask = async (pool: DecoderPool, text: string) =>
  // The text lies at the start of the pixels.
  Buffer.from(firstView(await pool.decode(Buffer.from(text))).pixels.data)
    .toString()
    .replace(/\0+$/, '');

/** A process that has ended and that nobody has asked after yet (a zombie) is not alive. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

async function hasEnded(pid: number): Promise<boolean> {
  for (let i = 0; i < 100 && isAlive(pid); i++) await sleep(20);
  return !isAlive(pid);
}

describe('a crash', () => {
  it.each([
    ['abort', /SIGABRT/],
    ['exit', /exit code 3/],
    ['throw', /exit code 1: [^]*a bug/],
  ])('by %s costs the image that caused it, and no other', async (how, message) => {
    const pool = start();
    const images = [ask(pool, 'before'), ask(pool, how), ask(pool, 'behind')];
    const [before, culprit, behind] = await Promise.allSettled(images);
    expect([before, behind]).toEqual([
      { status: 'fulfilled', value: 'before' },
      { status: 'fulfilled', value: 'behind' },
    ]);
    expect(culprit).toMatchObject({
      reason: { code: 'image_decode_crashed', message: expect.stringMatching(message) },
    });
  });

  it('is what a process comes to that blames somebody else', async () => {
    const pool = start();
    const [liar, next] = [ask(pool, 'lie'), ask(pool, 'next')];
    await expect(liar).rejects.toMatchObject({ code: 'image_decode_crashed' });
    await expect(next).resolves.toBe('next');
    expect(pool.restarts).toEqual({ ...none, crash: 2 });
  });

  it('is put down to the image only when it happens twice', async () => {
    const pool = start();
    const image = ask(pool, '300');
    await pool.ready();
    await sleep(20);
    const [pid = 0] = pool.pids;
    process.kill(pid, 'SIGKILL'); // As the kernel does when memory runs out.
    await expect(image).resolves.toBe('300');
    expect(pool.restarts).toEqual({ ...none, crash: 1 });
  });

  it('of an idle process costs no image', async () => {
    const pool = start();
    await pool.ready();
    const [pid = 0] = pool.pids;
    process.kill(pid, 'SIGKILL');
    await expect(ask(pool, 'after')).resolves.toBe('after');
    expect(pool.pids).not.toContain(pid);
  });
});

describe('a hang', () => {
  it('ends at the time limit and costs that image alone', async () => {
    const pool = start({ timeoutMs: 400 });
    await pool.ready();
    const [pid = 0] = pool.pids;
    const [spinning, next] = [ask(pool, 'spin'), ask(pool, 'next')];
    await expect(spinning).rejects.toMatchObject({
      code: 'image_decode_timeout',
      message: expect.stringContaining('400 ms'),
    });
    await expect(next).resolves.toBe('next');
    expect(isAlive(pid)).toBe(false);
    expect(pool.restarts).toEqual({ ...none, timeout: 1 });
  });

  it('does not count the time that an image waits for its turn', async () => {
    const pool = start({ timeoutMs: 500 });
    const images = ['200', '201', '202', '203'];
    await expect(Promise.all(images.map((text) => ask(pool, text)))).resolves.toEqual(images);
  });

  it('is not put down to the image when it is we who stood still', async () => {
    const pool = start({ timeoutMs: 300 });
    await pool.ready();
    const image = ask(pool, '50');
    // As when a container is paused: the answer lies there, but the timer is looked at first.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
    await expect(image).resolves.toBe('50');
    expect(pool.restarts).toEqual(none);
  });

  it('as often as there are images does not make the pool give up', async () => {
    const pool = start({ timeoutMs: 50 });
    for (let i = 0; i < 4; i++) {
      await expect(ask(pool, 'spin')).rejects.toMatchObject({ code: 'image_decode_timeout' });
    }
    await expect(ask(pool, 'still here')).resolves.toBe('still here');
  });
});

describe('many images at once', () => {
  it('each come back to their caller, though they finish in any order', async () => {
    const pool = start({ processes: 3 });
    const texts = Array.from({ length: 60 }, (_, i) => String((i * 7) % 13));
    await expect(Promise.all(texts.map((text) => ask(pool, text)))).resolves.toEqual(texts);
    expect(pool.restarts).toEqual(none);
  });

  it('are taken in the order of the calls', async () => {
    const pool = start();
    const order: string[] = [];
    const texts = ['9', '1', '5', '2'];
    await Promise.all(texts.map(async (text) => order.push(await ask(pool, text))));
    expect(order).toEqual(texts);
  });
});

describe('closing', () => {
  it('ends what is in flight and what waits, and every process', async () => {
    const pool = start({ processes: 2 });
    await pool.ready();
    const { pids } = pool;
    const images = ['spin', 'spin', 'waiting'].map((text) => ask(pool, text));
    const outcomes = Promise.allSettled(images);
    await pool.close();
    expect(await outcomes).toEqual(
      images.map(() => ({
        status: 'rejected',
        reason: expect.objectContaining({ code: 'aborted' }),
      })),
    );
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it('twice is as good as once, and no image is taken afterwards', async () => {
    const pool = start();
    await Promise.all([pool.close(), pool.close()]);
    await expect(ask(pool, 'late')).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a decoder process', () => {
  it('that cannot be started is an error of the installation, not of an image', async () => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Never/Ready';
    try {
      const pool = start();
      const image = ask(pool, 'an innocent image');
      await expect(pool.ready()).rejects.toMatchObject({ code: 'decoder_unavailable' });
      await expect(image).rejects.toMatchObject({
        code: 'decoder_unavailable',
        disposition: 'fatal',
        message: expect.stringContaining('exit code 4'),
      });
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it('sees none of the secrets in the environment', async () => {
    process.env['MODERATO_KAFKA_SASL_PASSWORD'] = 'secret';
    try {
      const seen = await ask(start(), 'environment');
      expect(JSON.parse(seen)).toHaveProperty('MALLOC_ARENA_MAX');
      expect(seen).not.toContain('PATH"');
      expect(seen).not.toContain('secret');
      expect(seen).not.toContain('NODE_OPTIONS');
    } finally {
      delete process.env['MODERATO_KAFKA_SASL_PASSWORD'];
    }
  });

  it('keeps a program alive only while it decodes, and ends with it', async () => {
    const program = `
      import { createDecoderPool } from ${JSON.stringify(pathToFileURL(packageFile('src/images/decoder-pool.ts')).href)};
      const pool = createDecoderPool({ ...${JSON.stringify({ preprocess: clipSpec, ...generous })}, processes: 1, timeoutMs: 5000, script: new URL(${JSON.stringify(crashing.href)}) });
      const { views: [{ pixels }] } = await pool.decode(Buffer.from('100'));
      console.log(String(Buffer.from(pixels.data.subarray(0, 3))), ...pool.pids);
    `;
    const flags = ['--input-type=module-typescript', '--eval', program];
    const [text, pid] = execFileSync(process.execPath, flags, { timeout: 4_000 })
      .toString()
      .trim()
      .split(' ');
    expect(text).toBe('100');
    await expect(hasEnded(Number(pid))).resolves.toBe(true);
  });

  it('of the real kind survives a real image between two that are none', async () => {
    const pool = createDecoderPool({
      preprocess: clipSpec,
      processes: 2,
      timeoutMs: 10_000,
      ...generous,
    });
    pools.push(pool);
    const bytes = [Buffer.from('text'), parityImage('rgb.jpg'), Buffer.from('more text')];
    const outcomes = await Promise.allSettled(bytes.map((image) => pool.decode(image)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    expect(pool.restarts).toEqual(none);
  });
});
