import { AppError } from '../errors.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import { nameOf } from './reference-name.ts';

/** RFC 3986, section 3.1. */
const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

/**
 * Hands each reference to the fetcher of its scheme. Throws `image_uri_invalid` for what is not a URI,
 * and `image_scheme_unsupported`, naming what is served, for a scheme that nobody serves.
 */
export function createSchemeFetcher(fetchers: readonly ImageFetcher[]): ImageFetcher {
  const byScheme = new Map(
    fetchers.flatMap((fetcher) => fetcher.schemes.map((scheme) => [scheme, fetcher] as const)),
  );
  const schemes = [...byScheme.keys()];
  const served = schemes.length === 0 ? 'inline bytes only' : schemes.join(', ');
  return {
    schemes,
    dependencyOf: (uri) => byScheme.get(schemeOf(uri) ?? '')?.dependencyOf?.(uri),
    probe: async (dependency, signal) => {
      const fetcher = byScheme.get(schemeOf(dependency) ?? '');
      return (await fetcher?.probe(dependency, signal)) ?? false;
    },
    fetch: async (uri, signal) => {
      const scheme = schemeOf(uri);
      if (scheme === undefined || !URL.canParse(uri)) {
        throw new AppError(
          'image_uri_invalid',
          `fetching image ${nameOf(uri)}: not a URI; expected one like file:///media/a.jpg`,
        );
      }
      const fetcher = byScheme.get(scheme);
      if (fetcher === undefined) {
        throw new AppError(
          'image_scheme_unsupported',
          `fetching image ${nameOf(uri)}: no fetcher for ${scheme}: references; served: ${served}`,
        );
      }
      return await fetcher.fetch(uri, signal);
    },
  };
}

function schemeOf(uri: string): string | undefined {
  return SCHEME.exec(uri)?.[1]?.toLowerCase();
}
