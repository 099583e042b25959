/** An HTTP server on this machine that remembers who came. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface RecordingServer {
  /** `http://127.0.0.1:8080` */
  origin: string;
  port: number;
  /** Every connection that was made to it. */
  connections: () => number;
  requests: IncomingMessage[];
  close(): Promise<void>;
}

export interface RecordingServerOptions {
  /** @default '127.0.0.1' */
  host?: string;
  /** @default any free one */
  port?: number;
  /** PEM; makes it an HTTPS server. */
  tls?: { key: string; cert: string };
}

export async function startRecordingServer(
  handler: RequestListener,
  { host = '127.0.0.1', port = 0, tls }: RecordingServerOptions = {},
): Promise<RecordingServer> {
  let connections = 0;
  const requests: IncomingMessage[] = [];
  const server = tls ? createTlsServer(tls) : createServer();
  server.on('request', (request, response) => {
    requests.push(request);
    handler(request, response);
  });
  server.on('connection', () => (connections += 1));
  server.listen(port, host);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    origin: `${tls ? 'https' : 'http'}://${name}:${bound}`,
    port: bound,
    connections: () => connections,
    requests,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
