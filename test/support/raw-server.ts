/** A TCP server that answers HTTP requests with bytes as they are written in a test. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface RawRequest {
  method: string;
  /** The path and the query. */
  target: string;
  /** The request line and the headers. */
  head: string;
}

/**
 * Bytes are the whole answer. `begun`: these bytes come, and the connection stays open; `close`: the connection is
 * closed without a byte; `hang`: nothing happens.
 */
export type RawAnswer = Buffer | { begun: Buffer } | 'close' | 'hang';

export interface RawServer {
  origin: string;
  port: number;
  /** `GET /a.jpg`, in the order of arrival. */
  requests: string[];
  close(): Promise<void>;
}

/** The connection is closed after each answer, unless `keepAlive`. */
export async function startRawServer(
  answer: (request: RawRequest) => RawAnswer,
  { keepAlive = false } = {},
): Promise<RawServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      const head = text;
      const [method = '', target = ''] = head.split(' ');
      text = '';
      requests.push(`${method} ${target}`);
      const answered = answer({ method, target, head });
      if (answered === 'hang') return;
      if (answered === 'close') socket.end();
      else if ('begun' in answered) socket.write(answered.begun);
      else if (keepAlive) socket.write(answered);
      else socket.end(answered);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** Bytes of Latin-1. */
export const raw = (text: string): Buffer => Buffer.from(text, 'latin1');

/** `HTTP/1.1 200 OK` with `headers` and `body`. */
export function ok(headers: readonly string[], body: Buffer | string = ''): Buffer {
  return withStatus('200 OK', headers, body);
}

export function withStatus(
  status: string,
  headers: readonly string[],
  body: Buffer | string = '',
): Buffer {
  const head = [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
  return Buffer.concat([raw(head), typeof body === 'string' ? raw(body) : body]);
}

/** In one chunk, with its end. */
export function chunked(body: Buffer | string): Buffer {
  const bytes = typeof body === 'string' ? raw(body) : body;
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return Buffer.concat([size, bytes, Buffer.from('\r\n0\r\n\r\n')]);
}
