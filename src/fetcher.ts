/** Puts the fetchers of references together: one for each scheme that is configured, all behind common limits. */
import { systemClock } from './clock.ts';
import type { Config } from './config-schema.ts';
import { Gate } from './gate.ts';
import { createDataFetcher } from './references/data-fetcher.ts';
import { createFileFetcher } from './references/file-fetcher.ts';
import type { ImageFetcher, OpenFetcher } from './references/image-fetcher.ts';
import { limitFetches, limitFetchesPerHost } from './references/limited-fetcher.ts';
import { withLimitedPatience } from './references/patient-fetcher.ts';
import { createSchemeFetcher } from './references/scheme-fetcher.ts';
import { VERSION } from './version.ts';

/**
 * References of the schemes that are configured; only their libraries are loaded. Throws AppError `config_invalid`
 * when no region is known for S3.
 */
export async function fetcherOf({ images }: Pick<Config, 'images'>): Promise<OpenFetcher> {
  const { root, maxBytes, data, http, s3, fetchConcurrency } = images;
  const gate = new Gate(fetchConcurrency);
  const fetchers: ImageFetcher[] = [];
  const open: OpenFetcher[] = [];
  if (root !== undefined) fetchers.push(createFileFetcher({ root, maxBytes }));
  if (data) fetchers.push(createDataFetcher({ maxBytes }));
  if (s3) {
    const { createS3Fetcher } = await import('./references/s3-fetcher.ts');
    const store = await createS3Fetcher({ ...s3, maxBytes, connections: fetchConcurrency });
    open.push(limitFetches(store, gate));
  }
  if (http) {
    const { createHttpFetcher } = await import('./references/http-fetcher.ts');
    const hosts = createHttpFetcher({ ...http, maxBytes, userAgent: `moderato/${VERSION}` });
    // Whoever waits for a host, or to ask it again, takes no place from others.
    const fair = limitFetchesPerHost(limitFetches(hosts, gate), http.connectionsPerHost);
    const { onOutage, attempts } = http;
    const patience = { attempts, clock: systemClock };
    open.push(onOutage === 'hold' ? fair : withLimitedPatience(fair, patience));
  }
  return {
    ...createSchemeFetcher([...fetchers, ...open]),
    close: async () => {
      await Promise.all(open.map((fetcher) => fetcher.close()));
    },
  };
}
