import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { loadImage } from '../../src/references/load-image.ts';
import { createMemoryFetcher } from '../../src/references/memory-fetcher.ts';

const cat = Buffer.from('a cat');
const hash = createHash('sha256').update(cat).digest('hex');
const fetcher = createMemoryFetcher({ images: new Map([['memory:/cat', cat]]) });
const inline = { bytes: cat, uri: null, sha256: null };
const byReference = { bytes: null, uri: 'memory:/cat', sha256: null };

describe.each([
  ['inline', inline],
  ['by reference', byReference],
])('an image %s', (_, location) => {
  it('comes with its SHA-256', async () => {
    await expect(loadImage(location, { fetcher, maxBytes: 5 })).resolves.toEqual({
      bytes: cat,
      sha256: hash,
    });
  });

  it('is taken when its hash is as stated, in either case of letters', async () => {
    for (const sha256 of [hash, hash.toUpperCase()]) {
      const loaded = await loadImage({ ...location, sha256 }, { fetcher, maxBytes: 5 });
      expect(loaded.sha256).toBe(hash);
    }
  });

  it('is refused when its hash is another than stated', async () => {
    const stated = { ...location, sha256: 'f'.repeat(64) };
    await expect(loadImage(stated, { fetcher, maxBytes: 5 })).rejects.toMatchObject({
      code: 'image_hash_mismatch',
      message: expect.stringContaining(hash),
    });
  });

  it('is refused over the limit', async () => {
    await expect(loadImage(location, { fetcher, maxBytes: 4 })).rejects.toMatchObject({
      code: 'image_too_large',
    });
  });
});

it('refuses inline bytes that are none', async () => {
  const empty = { ...inline, bytes: Buffer.alloc(0) };
  await expect(loadImage(empty, { fetcher, maxBytes: 5 })).rejects.toMatchObject({
    code: 'image_empty',
  });
});

it('passes the abort signal on', async () => {
  const reason = new Error('shutting down');
  const signal = AbortSignal.abort(reason);
  await expect(loadImage(byReference, { fetcher, maxBytes: 5, signal })).rejects.toBe(reason);
});
