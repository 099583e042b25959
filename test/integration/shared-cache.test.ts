import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createEmbeddingCache } from '../../src/cache/create-cache.ts';
import type { CacheFault, EmbeddingCache } from '../../src/cache/embedding-cache.ts';
import { createRedisCache, type RedisCacheOptions } from '../../src/cache/redis-cache.ts';
import { configSchema } from '../../src/config-schema.ts';
import { createLogger } from '../../src/logger.ts';
import { makeCertificates } from '../support/certificates.ts';
import { embeddingCacheConformance } from '../support/embedding-cache-conformance.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { anInspectedImage, aSpace, sha256Of, untilUsed } from '../support/inspected-images.ts';
import { anyRedis, startRedis, type RedisServer } from '../support/redis.ts';

const A = sha256Of('a');
const image = anInspectedImage();
/** For tests that are not about it: a busy machine must not look like a store in trouble. */
const PATIENT_MS = 5_000;

let store: Pick<RedisServer, 'url' | 'stop'>;
beforeAll(async () => {
  store = await anyRedis();
}, 120_000);
afterAll(() => store.stop());

const opened: EmbeddingCache[] = [];
afterEach(async () => {
  for (const cache of opened.splice(0)) await cache.close();
});

/** A cache with a clock and a log to look at. */
function aCache(options: Partial<RedisCacheOptions> = {}) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const faults: CacheFault[] = [];
  const cache = createRedisCache({
    url: store.url,
    ttlSeconds: 60,
    timeoutMs: PATIENT_MS,
    space: aSpace(),
    clock,
    logger: createLogger({ destination: { write: (line) => lines.push(line) }, pretty: false }),
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  opened.push(cache);
  return { cache, clock, lines, faults };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

const waitedFor = async (work: Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
};

embeddingCacheConformance('the Redis cache', async () => {
  const { cache } = aCache();
  await untilUsed(cache);
  return cache;
});

describe('the Redis cache', () => {
  it('is shared by instances with the same model and preprocessing, and by no others', async () => {
    const space = aSpace();
    const [first, second, model, preprocessing] = [
      space,
      space,
      { ...space, modelHash: sha256Of('other') },
      { ...space, preprocessing: 'other' },
    ].map((each) => aCache({ space: each }).cache) as [
      EmbeddingCache,
      EmbeddingCache,
      EmbeddingCache,
      EmbeddingCache,
    ];
    await Promise.all([first, second, model, preprocessing].map(untilUsed));
    await first.keep(A, image);
    expect(await second.find(A)).toMatchObject({ image, store: 'shared', by: 'sha256' });
    expect(await model.find(A)).toBeNull();
    expect(await preprocessing.find(A)).toBeNull();
  });

  it('keeps an image for as long as it was told', async () => {
    const space = aSpace();
    const { cache } = aCache({ space, ttlSeconds: 1_000 });
    await untilUsed(cache);
    await cache.keep(A, image);
    const client = new Redis(store.url);
    const [key = ''] = await client.keys(`moderato:1:${space.modelHash}:*:${A}`);
    expect(key).toBe(`moderato:1:${space.modelHash}:${space.preprocessing}:${A}`);
    expect(await client.ttl(key)).toBeGreaterThan(990);
    expect(await client.ttl(key)).toBeLessThanOrEqual(1_000);
    client.disconnect();
  });

  it('takes what is corrupt or foreign for missing, counts it and tells it once', async () => {
    const space = aSpace();
    const { cache, faults, lines } = aCache({ space });
    await untilUsed(cache);
    const keyOf = (sha256: string): string =>
      `moderato:1:${space.modelHash}:${space.preprocessing}:${sha256}`;
    const client = new Redis(store.url);
    await cache.keep(A, image);
    await client.setrange(keyOf(A), 40, 'x');
    await client.set(keyOf(sha256Of('foreign')), '{"views":[[1,2,3]]}');
    await client.set(keyOf(sha256Of('vast')), randomBytes(5 * 1024 * 1024));
    await client.rpush(keyOf(sha256Of('list')), 'x');
    expect(await cache.find(A)).toBeNull();
    expect(await cache.find(sha256Of('foreign'))).toBeNull();
    expect(await cache.find(sha256Of('vast'))).toBeNull();
    expect(await cache.find(sha256Of('list'))).toBeNull();
    expect(faults).toEqual(['unreadable', 'unreadable', 'unreadable', 'read']);
    expect(lines.filter((line) => line.includes('corrupt or not ours'))).toHaveLength(1);
    // Whoever inspects the image puts it right.
    await cache.keep(A, image);
    expect(await cache.find(A)).toMatchObject({ image });
    client.disconnect();
  });

  it('lies behind memory as it is configured', async () => {
    const config = configSchema.shape.dedupe.parse({
      shared: { url: store.url, timeoutMs: PATIENT_MS },
    });
    const space = aSpace();
    const create = (): EmbeddingCache => {
      const logger = createLogger({ level: 'silent' });
      const cache = createEmbeddingCache(config, {}, { space, clock: new FakeClock(), logger });
      opened.push(cache);
      return cache;
    };
    const [first, second] = [create(), create()];
    // A write is nobody's to wait for, and there is none before the connection.
    await until(async () => {
      await first.keep(A, image);
      return (await second.find(A)) !== null;
    });
    const third = create();
    await until(async () => (await third.find(A)) !== null);
    expect(await third.find(A)).toMatchObject({ image, store: 'memory' });
  });
});

describe('a shared store in trouble', () => {
  it('is done without when it stops, and used again when it is back', async () => {
    const server = await startRedis();
    const { cache, faults, lines } = aCache({ url: server.url });
    await untilUsed(cache);
    await cache.keep(A, image);
    expect(await cache.find(A)).not.toBeNull();

    await server.stop();
    expect(await waitedFor(cache.find(A))).toBeLessThan(1_000);
    expect(await cache.find(A)).toBeNull();
    await cache.keep(A, image);
    await until(() => faults.filter((fault) => fault === 'connection').length > 2);
    expect(lines.filter((line) => line.includes('no connection'))).toHaveLength(1);

    const again = await startRedis({ port: server.port });
    await untilUsed(cache);
    expect(await cache.find(A)).toBeNull(); // it kept nothing
    await cache.keep(A, image);
    expect(await cache.find(A)).toMatchObject({ image });
    expect(lines.filter((line) => line.includes('used again'))).toHaveLength(1);
    await again.stop();
  }, 30_000);

  it('is waited for no longer than the timeout when it hangs, and soon not at all', async () => {
    const server = await startRedis();
    const { cache, clock, faults, lines } = aCache({ url: server.url, timeoutMs: 200 });
    await untilUsed(cache);
    await cache.keep(A, image);
    const before = faults.length;

    server.pause();
    for (let failure = 1; failure <= 5; failure++) {
      const ms = await waitedFor(cache.find(A));
      expect(ms).toBeGreaterThan(190);
      expect(ms).toBeLessThan(1_000);
    }
    expect(await waitedFor(cache.find(A))).toBeLessThan(190);
    expect(faults.slice(before)).toEqual(['read', 'read', 'read', 'read', 'read']);
    expect(lines.filter((line) => line.includes('reading fails'))).toHaveLength(1);

    server.resume();
    expect(await cache.find(A)).toBeNull(); // it still rests
    await clock.advance(5_000);
    await until(async () => {
      await clock.advance(5_000);
      return (await cache.find(A)) !== null;
    });
    expect(lines.filter((line) => line.includes('reading works again'))).toHaveLength(1);
    await server.stop();
  }, 30_000);

  it('is left behind at once on closing, even when it hangs', async () => {
    const server = await startRedis();
    const { cache } = aCache({ url: server.url, timeoutMs: 200 });
    await untilUsed(cache);
    server.pause();
    const asked = cache.find(A);
    expect(await waitedFor(cache.close())).toBeLessThan(190);
    expect(await asked).toBeNull();
    await server.stop();
  });

  it('is connected to anew when it is no primary any more', async () => {
    const server = await startRedis();
    const { cache } = aCache({ url: server.url });
    await untilUsed(cache);
    const client = new Redis(server.url);
    const connection = async (): Promise<string | undefined> =>
      /^id=(\d+).* name=moderato /m.exec(String(await client.client('LIST')))?.[1];
    const before = await connection();
    expect(before).toBeDefined();
    await client.replicaof('127.0.0.1', 1);
    await cache.keep(A, image);
    await until(async () => ![undefined, before].includes(await connection()));
    await client.replicaof('NO', 'ONE');
    await untilUsed(cache);
    client.disconnect();
    await server.stop();
  });

  it('still answers reads when it refuses writes, and tells once that it does', async () => {
    const server = await startRedis();
    const { cache, faults, lines } = aCache({ url: server.url });
    await untilUsed(cache);
    await cache.keep(A, image);
    const client = new Redis(server.url);
    await client.config('SET', 'maxmemory', '1');
    for (let i = 0; i < 8; i++) await cache.keep(sha256Of(i), image);
    expect(await cache.find(A)).toMatchObject({ image });
    expect(faults.filter((fault) => fault === 'write')).toHaveLength(5);
    expect(lines.filter((line) => line.includes('writing fails'))).toHaveLength(1);
    client.disconnect();
    await server.stop();
  });
});

describe('access to a shared store', () => {
  it('needs no more than two commands on our keys, and the password stays secret', async () => {
    const rules = 'on >hunter2 resetkeys ~moderato:* -@all +getrange +set';
    const args = `--user default off --user moderato ${rules}`.split(' ');
    const server = await startRedis({ args });
    const url = server.url;
    const { cache } = aCache({ url, username: 'moderato', password: 'hunter2' });
    await untilUsed(cache);
    await cache.keep(A, image);
    expect(await cache.find(A)).toMatchObject({ image });

    const refused = aCache({ url, username: 'moderato', password: 'hunter3' });
    await until(() => refused.faults.length > 1);
    expect(await refused.cache.find(A)).toBeNull();
    expect(refused.lines.join()).toContain('WRONGPASS');
    expect(refused.lines.join()).not.toContain('hunter');
    await server.stop();
  });

  it('speaks TLS with whom its authority vouches for, and nobody else', async () => {
    const certificates = await makeCertificates();
    const tls = { ca: certificates.ca, certAndKey: certificates.brokerKeystore };
    const server = await startRedis({ tls });
    const { cache } = aCache({ url: server.url, ca: await readFile(certificates.ca, 'utf8') });
    await untilUsed(cache);
    await cache.keep(A, image);
    expect(await cache.find(A)).toMatchObject({ image });

    const stranger = await readFile(certificates.strangerCa, 'utf8');
    const wary = aCache({ url: server.url, ca: stranger });
    await until(() => wary.faults.includes('connection'));
    expect(await wary.cache.find(A)).toBeNull();
    await server.stop();
    await certificates.remove();
  });
});
