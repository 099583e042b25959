import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import { createAddressPolicy } from './address-policy.ts';
import { codingsOf, undo } from './content-coding.ts';
import { tooLarge, unavailable, unfetchable } from './fetch-faults.ts';
import { createGuardedConnector, type Resolve } from './guarded-connector.ts';
import { createPool, type Exchange, type HttpAnswer } from './http-exchange.ts';
import { exchangeFault, statusFault } from './http-faults.ts';
import type { OpenFetcher, Patience } from './image-fetcher.ts';
import { chunksOf, LibraryFault } from './library-fault.ts';
import { isParserCode } from './network-faults.ts';
import { parseReference } from './parse-reference.ts';
import { readLimited } from './read-limited.ts';
import { nameOf } from './reference-name.ts';
import { createSingleExchange } from './single-exchange.ts';
import { createUrlPolicy } from './url-policy.ts';
import { untilWhole, type Progress } from './whole-answer.ts';

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
  /** Of a whole fetch, redirects and repeats included. */
  totalTimeoutMs: number;
  /** Bytes per second, over `bodyTimeoutMs`, below which a host counts as absent. */
  minBytesPerSecond: number;
  maxRedirects: number;
  connectionsPerHost: number;
  /** Set where a host that is absent is not waited for. */
  patience?: Patience | undefined;
  /** environment: by HTTP_PROXY, HTTPS_PROXY and NO_PROXY. A proxy resolves names itself, so no address is judged. */
  proxy: 'none' | 'environment';
  userAgent: string;
  /** Before a broken answer is asked for again. @default 250 */
  repeatDelayMs?: number;
  /** @default the system's resolver */
  resolve?: Resolve;
  /** PEM certificates to trust instead of Node's own. */
  ca?: string;
}

interface Fetch {
  name: string;
  start: URL;
  signal: AbortSignal;
  ask: Exchange;
  progress: Progress;
}

const SCHEMES = ['http', 'https'];
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Serves `http:` and `https:` references of the allowed hosts. The url policy decides what may be asked for, again
 * for each redirect, and the guarded connector what may be connected to. Throws AppError `image_url_refused`,
 * `image_not_found`, `image_forbidden`, `image_unfetchable`, `image_empty`, `image_too_large` or
 * `image_store_unavailable`.
 */
export function createHttpFetcher(options: HttpFetcherOptions): OpenFetcher {
  const { maxBytes, maxRedirects, totalTimeoutMs, repeatDelayMs = 250, resolve, ca } = options;
  const addresses = createAddressPolicy(options.allowAddresses);
  const policy = createUrlPolicy({ ...options, addresses });
  const timeoutMs = options.connectTimeoutMs;
  const connect = createGuardedConnector({ addresses, resolve, ca, timeoutMs });
  const headers = { 'user-agent': options.userAgent, 'accept-encoding': 'identity' };
  const pool = createPool({ ...options, connect, headers });
  const closing = new AbortController();
  // A proxy is undici's to talk to.
  const askOnce =
    options.proxy === 'none' ? createSingleExchange({ ...options, connect, headers }) : pool.ask;

  async function follow({ name, start, signal, ask, progress }: Fetch): Promise<Buffer> {
    let url = start;
    policy.check(url);
    for (let redirects = 0; ; redirects += 1) {
      Object.assign(progress, { dependency: url.origin, status: 0 });
      const answer = await ask(url, { method: 'GET', signal });
      progress.status = answer.status;
      if (answer.status === 200) return await take(name, answer, progress);
      await answer.discard();
      const target = REDIRECTS.has(answer.status) ? targetOf(answer, url) : null;
      if (target === null) throw statusFault(name, url.origin, answer.status);
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

  async function take(name: string, answer: HttpAnswer, progress: Progress): Promise<Buffer> {
    const { body, contentLength, contentEncoding } = answer;
    try {
      const codings = codingsOf(contentEncoding);
      if (codings === null) throw unfetchable(name, 'it is packed too many times');
      const sent = counted(name, chunksOf(body), progress);
      const chunks = codings.length === 0 ? sent : chunksOf(undo(codings, Readable.from(sent)));
      return await readLimited(chunks, { name, maxBytes, announced: contentLength });
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }

  /**
   * Counts the bytes as they were sent, since packed ones may unpack to nothing for ever: not too many of them, nor
   * too few in a time.
   */
  async function* counted(name: string, chunks: AsyncIterable<Uint8Array>, progress: Progress) {
    let windowAt = performance.now();
    let windowBytes = 0;
    for await (const chunk of chunks) {
      progress.bytes += chunk.length;
      windowBytes += chunk.length;
      if (progress.bytes > maxBytes) throw tooLarge(name, maxBytes);
      const ms = performance.now() - windowAt;
      if (ms >= options.bodyTimeoutMs) {
        const rate = Math.round((windowBytes / ms) * 1000);
        if (rate < options.minBytesPerSecond) {
          const why = `sent at ${rate} bytes/s, less than ${options.minBytesPerSecond}`;
          throw unavailable(name, { why, dependency: progress.dependency });
        }
        windowAt += ms;
        windowBytes = 0;
      }
      yield chunk;
    }
  }

  function isAllowed(url: URL): boolean {
    try {
      policy.check(url);
      return true;
    } catch {
      return false;
    }
  }

  async function probe(dependency: string, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    const url = URL.parse(dependency);
    if (url === null) return false;
    const deadline = AbortSignal.timeout(timeoutMs + options.headersTimeoutMs);
    try {
      policy.check(url);
      const ended = signal ? AbortSignal.any([signal, deadline]) : deadline;
      const answer = await askOnce(url, { method: 'HEAD', signal: ended });
      await answer.discard();
      return answer.status < 500;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AppError) return false;
      if (error instanceof LibraryFault) return isParserCode(error.code);
      throw error;
    }
  }

  return {
    schemes: SCHEMES,
    fetch: async (uri, outer) => {
      outer?.throwIfAborted();
      const start = parseReference(uri, SCHEMES);
      const name = nameOf(uri);
      const deadline = AbortSignal.timeout(totalTimeoutMs);
      const signal = AbortSignal.any([...(outer ? [outer] : []), deadline, closing.signal]);
      const progress: Progress = { dependency: start.origin, status: 0, bytes: 0 };
      const fetch = { name, start, signal, progress };
      try {
        return await untilWhole(
          (attempt) => follow({ ...fetch, ask: attempt === 1 ? pool.ask : askOnce }),
          { name, signal, repeatDelayMs, progress, probe },
        );
      } catch (error) {
        outer?.throwIfAborted();
        if (error instanceof AppError) throw error;
        const { dependency } = progress;
        if (signal.aborted) {
          const why = deadline.aborted ? `not done within ${totalTimeoutMs} ms` : 'shutting down';
          throw unavailable(name, { why, dependency, cause: error });
        }
        if (error instanceof LibraryFault) throw exchangeFault(name, dependency, error);
        throw error;
      }
    },
    dependencyOf: (uri) => {
      const url = URL.parse(uri);
      if (url === null || !isAllowed(url)) return undefined;
      const { connectionsPerHost: places, patience } = options;
      return { name: url.origin, places, patience };
    },
    probe,
    close: async () => {
      closing.abort();
      await pool.close();
    },
  };
}

/** Where a redirect leads; null when it does not say so. Its bytes are UTF-8 where they can be, as in browsers. */
function targetOf({ location }: HttpAnswer, base: URL): URL | null {
  if (location === null) return null;
  const bytes = Buffer.from(location, 'latin1');
  return URL.parse(isUtf8(bytes) ? bytes.toString('utf8') : location, base.href);
}
