import { expect, it } from '@jest/globals';

import { createMemoryFetcher } from '../../src/references/memory-fetcher.ts';
import { imageFetcherConformance } from '../support/image-fetcher-conformance.ts';

imageFetcherConformance('the memory fetcher', () => {
  const images = new Map<string, Buffer>();
  return Promise.resolve({
    fetcher: createMemoryFetcher({ images, maxBytes: 100, away: new Set(['memory:/away']) }),
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

it('fails as it is told to', async () => {
  const outage = new Error('the store is down');
  const fetcher = createMemoryFetcher({ images: new Map([['memory:/a', outage]]) });
  await expect(fetcher.fetch('memory:/a')).rejects.toBe(outage);
});
