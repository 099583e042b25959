import type { Readable } from 'node:stream';
import { Agent, EnvHttpProxyAgent, type Dispatcher, type buildConnector } from 'undici';
import { fieldOf, fromLibrary, LibraryFault } from './library-fault.ts';

export interface HttpRequest {
  method: 'GET' | 'HEAD';
  signal: AbortSignal;
}

/** A final answer whose head was read; its body was not. */
export interface HttpAnswer {
  status: number;
  /** As in the header, each byte being a character; null when there is none, or several. */
  location: string | null;
  /** The codings in the order in which they were applied, `''` for none. */
  contentEncoding: string;
  /** Bytes; NaN when the header is absent or no number. */
  contentLength: number;
  body: Readable;
  /** Lets go of the body, and never throws. */
  discard(): Promise<void>;
}

/** Sends one request. Throws LibraryFault, or the connector's AppError. */
export type Exchange = (url: URL, request: HttpRequest) => Promise<HttpAnswer>;

export interface HttpTimeouts {
  connectTimeoutMs: number;
  /** From the request to the last header. */
  headersTimeoutMs: number;
  /** Between two pieces of the body. */
  bodyTimeoutMs: number;
}

export interface PoolOptions extends HttpTimeouts {
  connect: buildConnector.connector;
  connectionsPerHost: number;
  proxy: 'none' | 'environment';
  headers: Record<string, string>;
}

type Headers = Record<string, string | string[] | undefined>;

/** Retries of a request because the host had closed the idle connection that it was sent on. */
const STALE_CONNECTIONS = 2;
/** Bytes of an unwanted body that are read so that its connection can be used again. */
const DRAINED = 16 * 1024;
/** How long such a body is waited for. */
const DRAINED_WITHIN_MS = 1_000;

/** An exchange over kept connections, by undici. */
export function createPool(options: PoolOptions): { ask: Exchange; close: () => Promise<void> } {
  const agent = createAgent(options);
  const { headers } = options;
  const ask: Exchange = async (url, { method, signal }) => {
    const request = {
      origin: url.origin,
      path: url.pathname + url.search,
      headers,
      signal,
      method,
    };
    for (let stale = 0; ; stale += 1) {
      try {
        const { statusCode, headers, body } = await fromLibrary(() => agent.request(request));
        const discard = async (): Promise<void> => {
          const signal = AbortSignal.timeout(DRAINED_WITHIN_MS);
          body.on('error', () => undefined);
          await body.dump({ limit: DRAINED, signal }).catch(() => undefined);
        };
        return { ...answerOf(statusCode, headers), body, discard };
      } catch (error) {
        if (stale === STALE_CONNECTIONS || !wasStale(error)) throw error;
      }
    }
  };
  return { ask, close: () => agent.destroy() };
}

/** The facts of an answer's head. */
export function answerOf(status: number, headers: Headers): Omit<HttpAnswer, 'body' | 'discard'> {
  const { location } = headers;
  const contentEncoding = [headers['content-encoding'] ?? []].flat().join(',');
  const contentLength = Number(headers['content-length'] ?? NaN);
  return {
    status,
    location: typeof location === 'string' ? location : null,
    contentEncoding,
    contentLength,
  };
}

function createAgent(options: PoolOptions): Dispatcher {
  const pools = {
    connect: options.connect,
    connectTimeout: options.connectTimeoutMs, // to a proxy
    connections: options.connectionsPerHost,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyTimeoutMs,
    allowH2: false,
  };
  return options.proxy === 'environment' ? new EnvHttpProxyAgent(pools) : new Agent(pools);
}

/** Closed without an answer, after it had carried others: the request crossed the end of the connection's idle time. */
function wasStale(error: unknown): boolean {
  if (!(error instanceof LibraryFault) || error.code !== 'UND_ERR_SOCKET') return false;
  const bytesRead = fieldOf(fieldOf(error.cause, 'socket'), 'bytesRead');
  return fieldOf(error.cause, 'message') === 'other side closed' && Number(bytesRead) > 0;
}
