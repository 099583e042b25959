import type { HttpFetcherOptions } from '../../src/references/http-fetcher.ts';

/** Options for tests on this machine: nothing is allowed, and no limit is met by chance. */
export const HTTP_OPTIONS: HttpFetcherOptions = {
  allowHosts: [],
  allowPorts: [],
  allowAddresses: [],
  maxBytes: 100_000,
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 5_000,
  totalTimeoutMs: 10_000,
  maxRedirects: 3,
  connectionsPerHost: 8,
  proxy: 'none',
  userAgent: 'moderato/1.2.3',
};
