import { describe, expect, it } from '@jest/globals';

import type { ImageFetcher } from '../../src/references/image-fetcher.ts';

export interface FetcherUnderTest {
  fetcher: ImageFetcher;
  /** The fetcher's byte limit. */
  maxBytes: number;
  /** Makes `bytes` fetchable and tells the URI. */
  put: (name: string, bytes: Buffer) => Promise<string>;
  /** A well-formed URI of a served scheme behind which there is nothing. */
  missing: string;
  /** A dependency that answers. */
  answering: string;
  /** One of a served scheme that does not, or that is not this fetcher's. */
  away: string;
}

/** What every ImageFetcher keeps to. */
export function imageFetcherConformance(name: string, setUp: () => Promise<FetcherUnderTest>) {
  describe(`${name} as an ImageFetcher`, () => {
    it('tells that there is no such image, and which', async () => {
      const { fetcher, missing } = await setUp();
      await expect(fetcher.fetch(missing)).rejects.toMatchObject({
        code: 'image_not_found',
        message: expect.stringContaining(missing),
      });
    });

    it('tells whether a dependency answers', async () => {
      const { fetcher, answering, away } = await setUp();
      await expect(fetcher.probe(answering)).resolves.toBe(true);
      await expect(fetcher.probe(away)).resolves.toBe(false);
    });

    it.each(['', 'nonsense', 'gopher://a', 'http://['])(
      'knows of no dependency %j that answers',
      async (dependency) => {
        const { fetcher } = await setUp();
        await expect(fetcher.probe(dependency)).resolves.toBe(false);
      },
    );

    it('does not probe once it is aborted', async () => {
      const { fetcher, answering } = await setUp();
      const reason = new Error('shutting down');
      await expect(fetcher.probe(answering, AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
  selfContainedConformance(name, setUp);
}

/** The same for references that hold their image, so that none can be missing. */
export function selfContainedConformance(
  name: string,
  setUp: () => Promise<Omit<FetcherUnderTest, 'missing' | 'answering' | 'away'>>,
) {
  describe(`${name} as an ImageFetcher`, () => {
    it('returns the bytes as they were stored', async () => {
      const { fetcher, put } = await setUp();
      const bytes = Buffer.from([0, 255, 13, 10, 26, 0]);
      await expect(fetcher.fetch(await put('a.bin', bytes))).resolves.toEqual(bytes);
    });

    it('returns an image of exactly the limit', async () => {
      const { fetcher, put, maxBytes } = await setUp();
      const bytes = Buffer.alloc(maxBytes, 7);
      await expect(fetcher.fetch(await put('full.bin', bytes))).resolves.toEqual(bytes);
    });

    it('refuses an image of one byte more', async () => {
      const { fetcher, put, maxBytes } = await setUp();
      const uri = await put('large.bin', Buffer.alloc(maxBytes + 1));
      await expect(fetcher.fetch(uri)).rejects.toMatchObject({ code: 'image_too_large' });
    });

    it('refuses an empty image', async () => {
      const { fetcher, put } = await setUp();
      const uri = await put('empty.bin', Buffer.alloc(0));
      await expect(fetcher.fetch(uri)).rejects.toMatchObject({ code: 'image_empty' });
    });

    it.each(['', 'a.jpg', '//a.jpg', '/media/a.jpg', 'http://'])(
      'tells that %j is not a URI',
      async (uri) => {
        const { fetcher } = await setUp();
        await expect(fetcher.fetch(uri)).rejects.toMatchObject({ code: 'image_uri_invalid' });
      },
    );

    it('leaves schemes that it does not list to others', async () => {
      const { fetcher } = await setUp();
      expect(fetcher.schemes).not.toContain('gopher');
      await expect(fetcher.fetch('gopher://a/b.jpg')).rejects.toMatchObject({
        code: 'image_scheme_unsupported',
      });
    });

    it('does not begin once it is aborted', async () => {
      const { fetcher, put } = await setUp();
      const uri = await put('b.bin', Buffer.from('b'));
      const reason = new Error('shutting down');
      await expect(fetcher.fetch(uri, AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    it('serves many at once, each its own', async () => {
      const { fetcher, put } = await setUp();
      const uris = await Promise.all(
        Array.from({ length: 20 }, (_, i) => put(`${i}.bin`, Buffer.from([i + 1]))),
      );
      const images = await Promise.all(uris.map((uri) => fetcher.fetch(uri)));
      expect(images.map((image) => image[0])).toEqual(uris.map((_, i) => i + 1));
    });
  });
}
