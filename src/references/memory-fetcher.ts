import { AppError } from '../errors.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import { nameOf } from './reference-name.ts';

export interface MemoryFetcherOptions {
  /** The encoded image behind each URI; an error instead of bytes is thrown. */
  images: ReadonlyMap<string, Buffer | Error>;
  /** @default Infinity */
  maxBytes?: number;
  /** @default 'memory' */
  scheme?: string;
  /** Dependencies that `probe` finds away, for as long as they are in here. @default none */
  away?: ReadonlySet<string>;
}

/** Serves images out of a map, for tests and for callers who have the bytes at hand. */
export function createMemoryFetcher(options: MemoryFetcherOptions): ImageFetcher {
  const { images, maxBytes = Infinity, scheme = 'memory', away = new Set() } = options;
  function lookUp(uri: string): Buffer {
    if (!URL.canParse(uri)) {
      throw new AppError('image_uri_invalid', `fetching image ${nameOf(uri)}: not a URI`);
    }
    if (new URL(uri).protocol !== `${scheme}:`) {
      throw new AppError(
        'image_scheme_unsupported',
        `fetching image ${nameOf(uri)}: only ${scheme}: references are served here`,
      );
    }
    const image = images.get(uri);
    if (image instanceof Error) throw image;
    if (image === undefined) {
      throw new AppError('image_not_found', `fetching image ${nameOf(uri)}: no such image`);
    }
    if (image.length === 0) {
      throw new AppError('image_empty', `fetching image ${nameOf(uri)}: it has no bytes`);
    }
    if (image.length > maxBytes) {
      throw new AppError(
        'image_too_large',
        `fetching image ${nameOf(uri)}: ${image.length} bytes are more than the limit of ${maxBytes}`,
      );
    }
    return image;
  }

  return {
    schemes: [scheme],
    probe: (dependency, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        resolve(URL.parse(dependency)?.protocol === `${scheme}:` && !away.has(dependency));
      }),
    fetch: (uri, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        resolve(lookUp(uri));
      }),
  };
}
