/** Puts the fetchers of references together: one for each scheme that is configured. */
import type { Config } from './config-schema.ts';
import { createDataFetcher } from './references/data-fetcher.ts';
import { createFileFetcher } from './references/file-fetcher.ts';
import type { ImageFetcher, OpenFetcher, Patience } from './references/image-fetcher.ts';
import { createSchemeFetcher } from './references/scheme-fetcher.ts';
import { VERSION } from './version.ts';

/**
 * References of the schemes that are configured; only their libraries are loaded. Throws AppError `config_invalid`
 * when no region is known for S3.
 */
export async function fetcherOf({ images }: Pick<Config, 'images'>): Promise<OpenFetcher> {
  const { root, maxBytes, data, http, s3, fetchConcurrency } = images;
  const fetchers: ImageFetcher[] = [];
  const open: OpenFetcher[] = [];
  if (root !== undefined) fetchers.push(createFileFetcher({ root, maxBytes }));
  if (data) fetchers.push(createDataFetcher({ maxBytes }));
  if (s3) {
    const { createS3Fetcher } = await import('./references/s3-fetcher.ts');
    open.push(await createS3Fetcher({ ...s3, maxBytes, connections: fetchConcurrency }));
  }
  if (http) {
    const { createHttpFetcher } = await import('./references/http-fetcher.ts');
    const userAgent = `moderato/${VERSION}`;
    const patience = patienceOf(http);
    open.push(createHttpFetcher({ ...http, maxBytes, patience, userAgent }));
  }
  return {
    ...createSchemeFetcher([...fetchers, ...open]),
    close: async () => {
      await Promise.all(open.map((fetcher) => fetcher.close()));
    },
  };
}

/** Hosts that are not ours to wait for. */
function patienceOf(http: NonNullable<Config['images']['http']>): Patience | undefined {
  if (http.onOutage === 'hold') return undefined;
  const { attempts, totalTimeoutMs: absentMs } = http;
  return { attempts, absentMs, code: 'image_host_unavailable' };
}
