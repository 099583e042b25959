import { expect, it } from '@jest/globals';

import { createMemoryFetcher } from '../../src/references/memory-fetcher.ts';
import { createSchemeFetcher } from '../../src/references/scheme-fetcher.ts';
import { imageFetcherConformance } from '../support/image-fetcher-conformance.ts';

const store = (scheme: string, content: string) =>
  createMemoryFetcher({ scheme, images: new Map([[`${scheme}:/a`, Buffer.from(content)]]) });

imageFetcherConformance('the scheme fetcher', () => {
  const images = new Map<string, Buffer>();
  const fetcher = createMemoryFetcher({ images, maxBytes: 100, away: new Set(['memory:/away']) });
  return Promise.resolve({
    fetcher: createSchemeFetcher([store('other', 'x'), fetcher]),
    maxBytes: 100,
    put: (name, bytes) => {
      images.set(`memory:/${name}`, bytes);
      return Promise.resolve(`memory:/${name}`);
    },
    missing: 'memory:/nowhere.jpg',
    answering: 'memory:/',
    away: 'memory:/away',
  });
});

it('hands a reference to the fetcher of its scheme, however the scheme is written', async () => {
  const fetcher = createSchemeFetcher([store('one', 'from one'), store('two', 'from two')]);
  expect(fetcher.schemes).toEqual(['one', 'two']);
  await expect(fetcher.fetch('two:/a')).resolves.toEqual(Buffer.from('from two'));
  await expect(fetcher.fetch('ONE:/a')).rejects.toMatchObject({ code: 'image_not_found' });
});

it('lists what is served when a scheme is not', async () => {
  const fetcher = createSchemeFetcher([store('one', ''), store('two', '')]);
  await expect(fetcher.fetch('s3://bucket/a.jpg')).rejects.toMatchObject({
    code: 'image_scheme_unsupported',
    message: 'fetching image s3://bucket/a.jpg: no fetcher for s3: references; served: one, two',
  });
  await expect(createSchemeFetcher([]).fetch('file:///a')).rejects.toThrow('inline bytes only');
});
