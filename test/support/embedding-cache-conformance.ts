import { describe, expect, it } from '@jest/globals';
import type { EmbeddingCache } from '../../src/cache/embedding-cache.ts';
import { anInspectedImage, aUnitVector, sha256Of } from './inspected-images.ts';
import { aRegion } from './builders.ts';

/** What every EmbeddingCache keeps to; `setUp` gives an empty one of 8 dimensions, ready for use. */
export function embeddingCacheConformance(name: string, setUp: () => Promise<EmbeddingCache>) {
  describe(`${name} as an EmbeddingCache`, () => {
    it('finds nothing that was not kept', async () => {
      await using cache = await opened(setUp);
      await cache.keep(sha256Of('a'), anInspectedImage());
      expect(await cache.find(sha256Of('b'))).toBeNull();
    });

    it('finds what was kept, to the last bit', async () => {
      await using cache = await opened(setUp);
      const image = anInspectedImage(3);
      await cache.keep(sha256Of('a'), image);
      expect(await cache.find(sha256Of('a'))).toMatchObject({
        image,
        by: 'sha256',
        distance: 0,
        sha256: sha256Of('a'),
      });
    });

    it('keeps the views of an image in order, whatever their regions hold', async () => {
      await using cache = await opened(setUp);
      const box = { left: 25, top: 0, width: 50, height: 100 };
      const regions = [
        aRegion({ crop: 'whole', box: null }),
        aRegion({ frame: 7, crop: 'tile', box, background: 'white' }),
      ];
      const views = regions.map((region, i) => ({ region, embedding: aUnitVector(i) }));
      await cache.keep(sha256Of('a'), anInspectedImage(1, { views }));
      expect((await cache.find(sha256Of('a')))?.image.views).toEqual(views);
    });

    it('keeps what is not there as well', async () => {
      await using cache = await opened(setUp);
      const image = anInspectedImage(1, { pdq: null, damaged: true, frames: 12 });
      await cache.keep(sha256Of('a'), image);
      expect((await cache.find(sha256Of('a')))?.image).toEqual(image);
    });

    it('keeps the last of two', async () => {
      await using cache = await opened(setUp);
      await cache.keep(sha256Of('a'), anInspectedImage(1));
      await cache.keep(sha256Of('a'), anInspectedImage(2));
      expect((await cache.find(sha256Of('a')))?.image).toEqual(anInspectedImage(2));
    });

    it('takes copies of windows on a larger block', async () => {
      await using cache = await opened(setUp);
      const block = new Float32Array(24);
      block.set(aUnitVector(5), 8);
      const views = [{ region: aRegion(), embedding: block.subarray(8, 16) }];
      await cache.keep(sha256Of('a'), anInspectedImage(1, { views }));
      block.fill(0);
      const found = (await cache.find(sha256Of('a')))?.image.views[0]?.embedding;
      expect(found).toEqual(aUnitVector(5));
    });

    it('serves many at once, each its own', async () => {
      await using cache = await opened(setUp);
      const seeds = Array.from({ length: 50 }, (_, seed) => seed);
      await Promise.all(seeds.map((seed) => cache.keep(sha256Of(seed), anInspectedImage(seed))));
      const hits = await Promise.all(seeds.map((seed) => cache.find(sha256Of(seed))));
      expect(hits.map((hit) => hit?.image)).toEqual(seeds.map((seed) => anInspectedImage(seed)));
    });

    it('finds no other picture unless near reuse is on', async () => {
      await using cache = await opened(setUp);
      const image = anInspectedImage();
      await cache.keep(sha256Of('a'), image);
      expect(image.pdq && cache.findNear(image.pdq)).toBeNull();
    });

    it('finds nothing once it is closed, and does not fail', async () => {
      const cache = await setUp();
      await cache.keep(sha256Of('a'), anInspectedImage());
      await cache.close();
      expect(await cache.find(sha256Of('a'))).toBeNull();
      await expect(cache.keep(sha256Of('b'), anInspectedImage())).resolves.toBeUndefined();
      await cache.close();
    });
  });
}

async function opened(
  setUp: () => Promise<EmbeddingCache>,
): Promise<EmbeddingCache & AsyncDisposable> {
  const cache = await setUp();
  return { ...cache, [Symbol.asyncDispose]: () => cache.close() };
}
