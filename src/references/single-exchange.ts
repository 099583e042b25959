import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { answerOf, type Exchange, type HttpAnswer, type HttpTimeouts } from './http-exchange.ts';
import { fromLibrary } from './library-fault.ts';

export interface SingleExchangeOptions extends HttpTimeouts {
  connect: buildConnector.connector;
  headers: Record<string, string>;
}

/**
 * An exchange for answers that undici refuses although RFC 9112 accepts them: a Content-Length that chunked framing
 * overrides (section 6.3), folded header lines (5.2), an unexpected 100 (RFC 9110, 15.2). node:http reads them with
 * its lenient parser. Lenient framing is safe here because each connection carries one request and is closed after
 * its answer: no byte of an answer can be taken for the next one.
 */
export function createSingleExchange(options: SingleExchangeOptions): Exchange {
  return (url, { method, signal }) =>
    fromLibrary(async () => {
      const socket = await connectTo(options.connect, url, signal);
      const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
      const request = httpRequest({
        method,
        path: url.pathname + url.search,
        headers: { host: url.host, ...options.headers, connection: 'close' },
        createConnection: () => socket,
        insecureHTTPParser: true,
        signal,
      });
      let waitingFor: ClientRequest | IncomingMessage = request;
      request.setTimeout(options.headersTimeoutMs, () => waitingFor.destroy(timedOut()));
      request.on('error', reject);
      request.on('upgrade', (response: IncomingMessage) => {
        socket.destroy();
        resolve(lettingGo(response));
      });
      request.on('response', (response) => {
        waitingFor = response;
        request.setTimeout(options.bodyTimeoutMs);
        response.on('error', reject); // or an early error, before the body is read, would be unhandled
        resolve(lettingGo(response));
      });
      request.end();
      return await promise;
    });
}

function lettingGo(response: IncomingMessage): HttpAnswer {
  return {
    ...answerOf(response.statusCode ?? 0, response.headers),
    body: response,
    discard: () => {
      response.destroy();
      return Promise.resolve();
    },
  };
}

async function connectTo(
  connect: buildConnector.connector,
  url: URL,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  const { host, protocol, port } = url;
  const hostname = url.hostname.replaceAll(/[[\]]/g, '');
  connect({ host, hostname, protocol, port }, (error, socket) => {
    signal.removeEventListener('abort', abort);
    if (error !== null) reject(error);
    else if (signal.aborted) socket.destroy();
    else resolve(socket);
  });
  return await promise;
}

function timedOut(): Error {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
}
