import { setTimeout as sleep } from 'node:timers/promises';
import { basename } from 'node:path';
import { AppError } from '../src/errors.ts';
import { createFileFetcher } from '../src/references/file-fetcher.ts';
import type { ImageFetcher } from '../src/references/image-fetcher.ts';

/** The hosts that the pictures are shared out to. */
export const HOSTS = ['store://even', 'store://odd'] as const;
export type Host = (typeof HOSTS)[number];

export interface FlakyStore {
  fetcher: ImageFetcher;
  /** From now on these hosts are away, and the others there. */
  setAway(hosts: readonly Host[]): void;
}

const SLOWEST_MS = 50;

/** Of picture `n`. */
export function hostOf(n: number): Host {
  return n % 2 === 0 ? HOSTS[0] : HOSTS[1];
}

/** Stands in for two hosts of images: files below `folder`, slow at random, and away when told so. */
export function createFlakyStore(folder: string): FlakyStore {
  const files = createFileFetcher({ root: folder, maxBytes: 1_000_000 });
  let away: readonly string[] = [];
  const requireHost = (uri: string): void => {
    const dependency = hostOf(Number.parseInt(basename(uri), 10));
    if (away.includes(dependency)) {
      throw new AppError('image_store_unavailable', `fetching image ${uri}: 503`, { dependency });
    }
  };
  return {
    setAway: (hosts) => {
      away = hosts;
    },
    fetcher: {
      schemes: files.schemes,
      probe: (dependency) => Promise.resolve(!away.includes(dependency)),
      fetch: async (uri, signal) => {
        await sleep(Math.random() * SLOWEST_MS, undefined, signal ? { signal } : {});
        requireHost(uri);
        const bytes = await files.fetch(uri, signal);
        requireHost(uri); // it may break off in the midst of an answer
        return bytes;
      },
    },
  };
}
