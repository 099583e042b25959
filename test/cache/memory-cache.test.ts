import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryCache } from '../../src/cache/memory-cache.ts';
import { embeddingCacheConformance } from '../support/embedding-cache-conformance.ts';
import { anInspectedImage, flipBits, sha256Of } from '../support/inspected-images.ts';
import { aRegion } from '../support/builders.ts';

const MIB = 1024 * 1024;

embeddingCacheConformance('the memory cache', () =>
  Promise.resolve(createMemoryCache({ maxBytes: MIB })),
);

describe('the memory cache', () => {
  it('never holds more than its bytes, and forgets what was used longest ago', async () => {
    const cache = createMemoryCache({ maxBytes: 20_000 });
    const kept = Array.from({ length: 100 }, (_, seed) => sha256Of(seed));
    for (const [seed, sha256] of kept.entries()) {
      await cache.keep(sha256, anInspectedImage(seed));
      await cache.find(sha256Of(0));
      expect(cache.size().bytes).toBeLessThanOrEqual(20_000);
    }
    const found = await Promise.all(kept.map((sha256) => cache.find(sha256)));
    const { entries } = cache.size();
    expect(entries).toBeGreaterThan(5);
    expect(found.filter((hit) => hit !== null)).toHaveLength(entries);
    expect(found[0]).not.toBeNull();
    expect(found.slice(1, 101 - entries).every((hit) => hit === null)).toBe(true);
  });

  it('counts every number of every view', async () => {
    const sizeOf = async (dimensions: number): Promise<number> => {
      const cache = createMemoryCache({ maxBytes: MIB });
      const views = [0, 1].map((frame) => ({
        region: aRegion({ frame }),
        embedding: new Float32Array(dimensions),
      }));
      await cache.keep(sha256Of('a'), anInspectedImage(1, { views }));
      return cache.size().bytes;
    };
    expect((await sizeOf(768)) - (await sizeOf(512))).toBe(2 * 256 * 4);
  });

  it('does not take an image larger than itself, and forgets its former version', async () => {
    const cache = createMemoryCache({ maxBytes: 4_000, nearDistance: 0 });
    const small = anInspectedImage();
    await cache.keep(sha256Of('a'), small);
    const views = [{ region: aRegion(), embedding: new Float32Array(1_000) }];
    await cache.keep(sha256Of('a'), { ...small, views });
    expect(await cache.find(sha256Of('a'))).toBeNull();
    expect(small.pdq && cache.findNear(small.pdq)).toBeNull();
    expect(cache.size()).toEqual({ entries: 0, bytes: 0 });
  });
});

describe('near reuse', () => {
  const image = anInspectedImage(1);
  const hash = sha256Of(1);

  it('finds the nearest picture within the distance, and says how far it is', async () => {
    const cache = createMemoryCache({ maxBytes: MIB, nearDistance: 10 });
    await cache.keep(sha256Of('far'), { ...image, pdq: { hash: flipBits(hash, 9), quality: 90 } });
    await cache.keep(sha256Of('near'), { ...image, pdq: { hash: flipBits(hash, 4), quality: 90 } });
    const hit = cache.findNear({ hash, quality: 50 });
    expect(hit).toMatchObject({
      by: 'pdq',
      store: 'memory',
      distance: 4,
      sha256: sha256Of('near'),
    });
  });

  it.each([
    [10, true],
    [11, false],
  ])('%d bits away within 10: %j', async (bits, found) => {
    const cache = createMemoryCache({ maxBytes: MIB, nearDistance: 10 });
    await cache.keep(sha256Of('a'), image);
    expect(cache.findNear({ hash: flipBits(hash, bits), quality: 80 }) !== null).toBe(found);
  });

  it('matches no hash of a low quality, on either side', async () => {
    const cache = createMemoryCache({ maxBytes: MIB, nearDistance: 64 });
    await cache.keep(sha256Of('flat'), { ...image, pdq: { hash, quality: 49 } });
    expect(cache.findNear({ hash, quality: 100 })).toBeNull();
    await cache.keep(sha256Of('a'), image);
    expect(cache.findNear({ hash, quality: 49 })).toBeNull();
    expect(cache.findNear({ hash, quality: 50 })).not.toBeNull();
  });

  it('is not kept from a picture by a nearer one that was too large to keep', async () => {
    const cache = createMemoryCache({ maxBytes: 4_000, nearDistance: 10 });
    await cache.keep(sha256Of('a'), image);
    const views = [{ region: aRegion(), embedding: new Float32Array(1_000) }];
    const pdq = { hash: flipBits(hash, 5), quality: 80 };
    await cache.keep(sha256Of('large'), { ...image, pdq, views });
    expect(cache.findNear(pdq)).toMatchObject({ distance: 5, sha256: sha256Of('a') });
  });

  it('forgets the hash of an image that is kept anew without one', async () => {
    const cache = createMemoryCache({ maxBytes: MIB, nearDistance: 0 });
    await cache.keep(sha256Of('a'), image);
    await cache.keep(sha256Of('a'), { ...image, pdq: null });
    expect(cache.findNear({ hash, quality: 80 })).toBeNull();
  });

  it('stays in step with what is forgotten', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(15), { maxLength: 60 }), async (seeds) => {
        const cache = createMemoryCache({ maxBytes: 8_000, nearDistance: 0 });
        for (const seed of seeds) await cache.keep(sha256Of(`of ${seed}`), anInspectedImage(seed));
        for (let seed = 0; seed < 16; seed++) {
          const near = cache.findNear({ hash: sha256Of(seed), quality: 80 });
          const same = await cache.find(sha256Of(`of ${seed}`));
          expect(near?.image).toEqual(same?.image);
        }
      }),
    );
  });
});
