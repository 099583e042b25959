import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { AppError } from '../src/errors.ts';
import { createFileFetcher } from '../src/references/file-fetcher.ts';
import type { ImageFetcher } from '../src/references/image-fetcher.ts';

export interface FlakyStore {
  fetcher: ImageFetcher;
  setAway(away: boolean): void;
}

const SLOWEST_MS = 50;

/** Stands in for an object store: files below `folder`, slow at random, and away as a whole when told so. */
export function createFlakyStore(folder: string): FlakyStore {
  const files = createFileFetcher({ root: folder, maxBytes: 1_000_000 });
  const dependency = pathToFileURL(folder).href;
  let away = false;
  const requireStore = (uri: string): void => {
    if (away) {
      throw new AppError('image_store_unavailable', `fetching image ${uri}: 503`, { dependency });
    }
  };
  return {
    setAway: (told) => {
      away = told;
    },
    fetcher: {
      schemes: files.schemes,
      probe: (dependency, signal) =>
        away ? Promise.resolve(false) : files.probe(dependency, signal),
      fetch: async (uri, signal) => {
        await sleep(Math.random() * SLOWEST_MS, undefined, signal ? { signal } : {});
        requireStore(uri);
        const bytes = await files.fetch(uri, signal);
        requireStore(uri); // it may break off in the midst of an answer
        return bytes;
      },
    },
  };
}
