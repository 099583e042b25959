import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { AppError } from '../errors.ts';
import { createAddressPolicy } from './address-policy.ts';
import { unavailable } from './fetch-faults.ts';
import { createGuardedConnector, type Resolve } from './guarded-connector.ts';
import { exchangeFault, statusFault } from './http-faults.ts';
import type { OpenFetcher } from './image-fetcher.ts';
import { codeOf } from './network-faults.ts';
import { parseReference } from './parse-reference.ts';
import { readLimited } from './read-limited.ts';
import { nameOf } from './reference-name.ts';
import { createUrlPolicy } from './url-policy.ts';

export interface HttpFetcherOptions {
  /** The only hosts asked: `img.example.com`, or `*.example.com` for every name below. */
  allowHosts: readonly string[];
  allowPorts: readonly number[];
  /** CIDR ranges that may be connected to although they are not public. */
  allowAddresses: readonly string[];
  maxBytes: number;
  connectTimeoutMs: number;
  /** From the request to the last header. */
  headersTimeoutMs: number;
  /** Between two pieces of the body. */
  bodyTimeoutMs: number;
  /** Of a whole fetch, redirects included. */
  totalTimeoutMs: number;
  maxRedirects: number;
  connectionsPerHost: number;
  /** environment: by HTTP_PROXY, HTTPS_PROXY and NO_PROXY. A proxy resolves names itself, so no address is judged. */
  proxy: 'none' | 'environment';
  userAgent: string;
  /** @default the system's resolver */
  resolve?: Resolve;
  /** PEM certificates to trust instead of Node's own. */
  ca?: string;
}

type Response = Dispatcher.ResponseData;

const SCHEMES = ['http', 'https'];
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Times that a request is sent anew because the host had closed the idle connection that it was sent on. */
const STALE_CONNECTIONS = 2;
/** Bytes of a body that nobody wants, read so that its connection can be used again. */
const DRAINED = 16 * 1024;

/**
 * Serves `http:` and `https:` references of the allowed hosts. What may be asked for is the url policy's to say, at
 * each redirect anew, and what may be connected to the guarded connector's. Throws AppError `image_url_refused`,
 * `image_not_found`, `image_forbidden`, `image_unfetchable`, `image_empty`, `image_too_large` or
 * `image_store_unavailable`.
 */
export function createHttpFetcher(options: HttpFetcherOptions): OpenFetcher {
  const { maxBytes, maxRedirects, totalTimeoutMs } = options;
  const addresses = createAddressPolicy(options.allowAddresses);
  const policy = createUrlPolicy({ ...options, addresses });
  const agent = createAgent(options, addresses);
  const headers = { 'user-agent': options.userAgent, 'accept-encoding': 'identity' };

  async function ask(url: URL, signal: AbortSignal): Promise<Response> {
    const request = { origin: url.origin, path: url.pathname + url.search, headers, signal };
    for (let stale = 0; ; stale += 1) {
      try {
        return await agent.request({ ...request, method: 'GET' });
      } catch (error) {
        if (stale === STALE_CONNECTIONS || !wasStale(error)) throw error;
      }
    }
  }

  async function follow(name: string, start: URL, signal: AbortSignal): Promise<Buffer> {
    let url = start;
    policy.check(url);
    for (let redirects = 0; ; redirects += 1) {
      const response = await ask(url, signal);
      if (!REDIRECTS.has(response.statusCode)) return await take(name, response, signal);
      await response.body.dump({ limit: DRAINED, signal });
      const target = targetOf(response, url);
      if (target === null) throw statusFault(name, response.statusCode);
      if (redirects === maxRedirects) {
        throw new AppError(
          'image_url_refused',
          `fetching image ${name}: more than ${maxRedirects} redirects`,
        );
      }
      policy.check(target, url);
      url = target;
    }
  }

  async function take(name: string, response: Response, signal: AbortSignal): Promise<Buffer> {
    const { statusCode, body } = response;
    if (statusCode !== 200) {
      await body.dump({ limit: DRAINED, signal });
      throw statusFault(name, statusCode);
    }
    try {
      requireIdentity(name, response);
      const announced = Number(response.headers['content-length'] ?? 0);
      return await readLimited(body, { name, maxBytes, announced });
    } catch (error) {
      body.on('error', () => undefined).destroy();
      throw error;
    }
  }

  return {
    schemes: SCHEMES,
    fetch: async (uri, signal) => {
      signal?.throwIfAborted();
      const url = parseReference(uri, SCHEMES);
      const name = nameOf(uri);
      const deadline = AbortSignal.timeout(totalTimeoutMs);
      try {
        return await follow(name, url, signal ? AbortSignal.any([signal, deadline]) : deadline);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof AppError) throw error;
        if (deadline.aborted) {
          throw unavailable(name, `not done within ${totalTimeoutMs} ms`, error);
        }
        throw exchangeFault(name, error);
      }
    },
    close: () => agent.destroy(),
  };
}

function createAgent(
  options: HttpFetcherOptions,
  addresses: ReturnType<typeof createAddressPolicy>,
): Dispatcher {
  const { connectTimeoutMs: timeoutMs, resolve, ca } = options;
  const pools = {
    connect: createGuardedConnector({ addresses, resolve, ca, timeoutMs }),
    connectTimeout: timeoutMs, // to a proxy
    connections: options.connectionsPerHost,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyTimeoutMs,
    allowH2: false,
  };
  return options.proxy === 'environment' ? new EnvHttpProxyAgent(pools) : new Agent(pools);
}

/** Closed without an answer, after it had carried others: a request just crossed the end of its idle time. */
function wasStale(error: unknown): boolean {
  const { socket } = error as { socket?: { bytesRead?: number } | null };
  return codeOf(error) === 'UND_ERR_SOCKET' && (socket?.bytesRead ?? 0) > 0;
}

/** Where a redirect leads; null when it does not say so. */
function targetOf({ headers }: Response, base: URL): URL | null {
  const { location } = headers;
  return typeof location === 'string' ? URL.parse(location, base.href) : null;
}

function requireIdentity(name: string, { headers }: Response): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity' || encoding === '') return;
  throw new AppError(
    'image_unfetchable',
    `fetching image ${name}: sent as ${String(encoding)}, though only the bytes as they are were accepted`,
  );
}
