import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { createHttpFetcher, type HttpFetcherOptions } from '../../src/references/http-fetcher.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { startRecordingServer, type RecordingServer } from './recording-server.ts';

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
  minBytesPerSecond: 0,
  maxRedirects: 3,
  connectionsPerHost: 8,
  proxy: 'none',
  userAgent: 'moderato/1.2.3',
  repeatDelayMs: 1,
};

export interface HttpStage {
  readonly server: RecordingServer;
  /** What the server does from now on. */
  respond: RequestListener;
  /** A fetcher that may ask the server, and nobody else; closed after the test. */
  fetcherOf: (options?: Partial<HttpFetcherOptions>) => OpenFetcher;
  /** Fetches a path of the server. */
  fetchOf: (path: string, options?: Partial<HttpFetcherOptions>) => Promise<Buffer>;
}

/** A server for the tests of a file, its record emptied before each. */
export function setUpHttp(): HttpStage {
  const fetchers: OpenFetcher[] = [];
  let server: RecordingServer;
  const stage: HttpStage = {
    get server() {
      return server;
    },
    respond: (_, response) => response.end(),
    fetcherOf: (options = {}) => {
      const fetcher = createHttpFetcher({
        ...HTTP_OPTIONS,
        allowHosts: ['127.0.0.1'],
        allowPorts: [server.port],
        allowAddresses: ['127.0.0.1/32'],
        ...options,
      });
      fetchers.push(fetcher);
      return fetcher;
    },
    fetchOf: (path, options) => stage.fetcherOf(options).fetch(`${server.origin}${path}`),
  };
  beforeAll(async () => {
    server = await startRecordingServer((request, response) => stage.respond(request, response));
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterEach(async () => {
    await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()));
  });
  return stage;
}
