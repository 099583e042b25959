import { describe, expect, it } from '@jest/globals';
import type { EmbeddingCache } from '../../src/cache/embedding-cache.ts';
import { createLayeredCache } from '../../src/cache/layered-cache.ts';
import { createMemoryCache } from '../../src/cache/memory-cache.ts';
import { embeddingCacheConformance } from '../support/embedding-cache-conformance.ts';
import { settle } from '../support/fake-clock.ts';
import { anInspectedImage, sha256Of } from '../support/inspected-images.ts';

const maxBytes = 1024 * 1024;
const A = sha256Of('a');
const image = anInspectedImage();

/** In the place of a shared store: a memory cache whose hits say so and whose writes can be held up. */
function sharedStore() {
  const inner = createMemoryCache({ maxBytes });
  const state = { finds: 0, writes: 0, closed: false, gate: Promise.resolve() };
  const cache: EmbeddingCache = {
    ...inner,
    find: async (sha256) => {
      state.finds += 1;
      const hit = await inner.find(sha256);
      return hit && { ...hit, store: 'shared' };
    },
    keep: async (...args) => {
      state.writes += 1;
      await state.gate;
      await inner.keep(...args);
    },
    close: async () => {
      state.closed = true;
      await inner.close();
    },
  };
  return { cache, inner, state };
}

/** The same, writing nothing until it is let through. */
function slowStore() {
  const shared = sharedStore();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  shared.state.gate = promise.then(() => undefined);
  return { shared, letThrough: () => resolve(undefined) };
}

embeddingCacheConformance('the layered cache', () =>
  Promise.resolve(
    createLayeredCache({
      memory: createMemoryCache({ maxBytes }),
      shared: createMemoryCache({ maxBytes }),
    }),
  ),
);

describe('the layered cache', () => {
  it('asks the store only for what is not in memory, and keeps there what the store had', async () => {
    const shared = sharedStore();
    await shared.inner.keep(A, image);
    const cache = createLayeredCache({
      memory: createMemoryCache({ maxBytes }),
      shared: shared.cache,
    });
    expect(await cache.find(A)).toMatchObject({ store: 'shared', image });
    expect(await cache.find(A)).toMatchObject({ store: 'memory', image });
    expect(shared.state.finds).toBe(1);
    expect(cache.size().entries).toBe(1);
  });

  it('keeps in both, and waits for memory only', async () => {
    const { shared, letThrough } = slowStore();
    const cache = createLayeredCache({
      memory: createMemoryCache({ maxBytes }),
      shared: shared.cache,
    });
    await cache.keep(A, image);
    expect(await cache.find(A)).toMatchObject({ store: 'memory' });
    expect(await shared.inner.find(A)).toBeNull();
    letThrough();
    await settle();
    expect(await shared.inner.find(A)).toMatchObject({ image });
  });

  it('drops and counts writes beyond the bound, and writes again when there is room', async () => {
    const { shared, letThrough } = slowStore();
    const faults: string[] = [];
    const cache = createLayeredCache({
      memory: createMemoryCache({ maxBytes }),
      shared: shared.cache,
      maxWrites: 2,
      onFault: (fault) => faults.push(fault),
    });
    for (const name of ['a', 'b', 'c', 'd']) await cache.keep(sha256Of(name), image);
    expect(shared.state.writes).toBe(2);
    expect(faults).toEqual(['dropped', 'dropped']);
    expect(await cache.find(sha256Of('d'))).toMatchObject({ store: 'memory' });
    letThrough();
    await settle();
    await cache.keep(sha256Of('e'), image);
    expect(shared.state.writes).toBe(3);
  });

  it('finishes its writes before it closes both', async () => {
    const { shared, letThrough } = slowStore();
    const cache = createLayeredCache({
      memory: createMemoryCache({ maxBytes }),
      shared: shared.cache,
    });
    await cache.keep(A, image);
    const closed = cache.close();
    await settle();
    expect(shared.state.closed).toBe(false);
    letThrough();
    await closed;
    expect(shared.state.closed).toBe(true);
  });

  it('finds near pictures in memory', async () => {
    const cache = createLayeredCache({
      memory: createMemoryCache({ maxBytes, nearDistance: 0 }),
      shared: sharedStore().cache,
    });
    await cache.keep(A, image);
    expect(image.pdq && cache.findNear(image.pdq)).toMatchObject({ by: 'pdq', sha256: A });
  });
});
