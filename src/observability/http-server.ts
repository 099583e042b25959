/**
 * `/livez`, `/readyz` and `/metrics` on one port, for the kubelet and for Prometheus.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError, messageOf } from '../errors.ts';
import type { Health } from './health.ts';

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpServerOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  health: Health;
  /** Null: there is no `/metrics`. */
  metrics: HttpHandler | null;
}

export interface HttpServer {
  /** The port really bound. */
  readonly port: number;
  /** Stops listening and ends the open connections. Idempotent. */
  close(): Promise<void>;
}

const IN_USE = new Set(['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND']);

/** Throws AppError `port_unavailable`. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => answer(request, response, options));
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    if (!IN_USE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new AppError(
      'port_unavailable',
      `serving probes and metrics on ${host}:${port}: ${messageOf(error)}; ` +
        'give observability.http another host or port, or turn it off with false',
      { cause: error },
    );
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { health, metrics }: HttpServerOptions,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(response, 405, { status: 'method not allowed' });
    return;
  }
  const path = request.url?.split('?', 1)[0];
  if (path === '/livez') probe(response, health.live());
  else if (path === '/readyz') probe(response, health.ready());
  else if (path === '/metrics' && metrics) metrics(request, response);
  else send(response, 404, { status: 'not found', paths: paths(metrics !== null) });
}

function paths(withMetrics: boolean): string[] {
  return withMetrics ? ['/livez', '/readyz', '/metrics'] : ['/livez', '/readyz'];
}

function probe(response: ServerResponse, body: ReturnType<Health['live']>): void {
  send(response, body.status === 'ok' ? 200 : 503, body);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.end(JSON.stringify(body) + '\n');
}
