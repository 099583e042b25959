import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createEmbeddingCache } from '../../src/cache/create-cache.ts';
import { configSchema } from '../../src/config-schema.ts';
import { readConfig } from '../../src/config.ts';
import { noLogger } from '../../src/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { anInspectedImage, aSpace, sha256Of } from '../support/inspected-images.ts';

const A = sha256Of('a');
const parts = { space: aSpace(), clock: new FakeClock(), logger: noLogger };

function dedupe(value: object) {
  return configSchema.shape.dedupe.parse(value);
}

describe('createEmbeddingCache', () => {
  it('keeps in memory unless told otherwise, and finds nothing near', async () => {
    const cache = createEmbeddingCache(dedupe({}), {}, parts);
    const image = anInspectedImage();
    await cache.keep(A, image);
    expect(await cache.find(A)).toMatchObject({ store: 'memory' });
    expect(image.pdq && cache.findNear(image.pdq)).toBeNull();
  });

  it('keeps nothing when it is switched off, whatever else is configured', async () => {
    const shared = { url: 'redis://127.0.0.1:1' };
    const cache = createEmbeddingCache(dedupe({ maxBytes: 0, shared }), {}, parts);
    await cache.keep(A, anInspectedImage());
    expect(await cache.find(A)).toBeNull();
    expect(cache.size()).toEqual({ entries: 0, bytes: 0 });
  });

  it('finds near pictures within the configured distance', async () => {
    const cache = createEmbeddingCache(dedupe({ nearDistance: 12 }), {}, parts);
    const image = anInspectedImage();
    await cache.keep(A, image);
    expect(image.pdq && cache.findNear(image.pdq)).toMatchObject({ by: 'pdq' });
  });

  it('keeps in memory while the shared store is away', async () => {
    const faults: string[] = [];
    const cache = createEmbeddingCache(
      dedupe({ shared: { url: 'redis://127.0.0.1:1' } }),
      {},
      { ...parts, onFault: (fault) => faults.push(fault) },
    );
    await cache.keep(A, anInspectedImage());
    expect(await cache.find(A)).toMatchObject({ store: 'memory' });
    expect(await cache.find(sha256Of('b'))).toBeNull();
    await cache.close();
  });

  it('tells that the authority cannot be read', () => {
    const shared = { url: 'rediss://127.0.0.1:1', ca: '/nowhere/ca.pem' };
    expect(() => createEmbeddingCache(dedupe({ shared }), {}, parts)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining('dedupe.shared.ca'),
      }),
    );
  });
});

describe('the configuration of dedupe', () => {
  it.each([
    'redis://cache:6379',
    'redis://cache',
    'rediss://cache.internal:6380/3',
    'redis://[::1]:6379/0',
  ])('takes %s', (url) => {
    expect(dedupe({ shared: { url } }).shared?.url).toBe(url);
  });

  it.each([
    'cache:6379',
    'http://cache:6379',
    'redis://',
    'redis://user:hunter2@cache:6379',
    'redis://cache:6379?enableOfflineQueue=true',
    'redis://cache:6379/zero',
  ])('refuses %s', (url) => {
    expect(() => dedupe({ shared: { url } })).toThrow('without credentials');
  });

  it.each([-1, 65, 0.5])('refuses a distance of %d', (nearDistance) => {
    expect(() => dedupe({ nearDistance })).toThrow('nearDistance');
  });

  it('takes every key from a variable, the password apart, and the authority from the file’s folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moderato-dedupe-'));
    const file = join(folder, 'moderato.yaml');
    await writeFile(file, 'dedupe: { shared: { url: "rediss://cache:6380", ca: ca.pem } }');
    const { sections, secrets } = await readConfig(file, {
      MODERATO_DEDUPE_MAX_BYTES: '1000',
      MODERATO_DEDUPE_NEAR_DISTANCE: '20',
      MODERATO_DEDUPE_SHARED_USERNAME: 'moderato',
      MODERATO_DEDUPE_SHARED_TTL_SECONDS: '60',
      MODERATO_DEDUPE_SHARED_TIMEOUT_MS: '20',
      MODERATO_CACHE_PASSWORD: 'hunter2',
    });
    await rm(folder, { recursive: true });
    expect(sections.dedupe).toEqual({
      maxBytes: 1000,
      nearDistance: 20,
      shared: {
        url: 'rediss://cache:6380',
        username: 'moderato',
        ca: join(folder, 'ca.pem'),
        ttlSeconds: 60,
        timeoutMs: 20,
      },
    });
    expect(secrets).toEqual({ cachePassword: 'hunter2' });
  });
});
