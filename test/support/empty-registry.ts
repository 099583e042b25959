import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A schema registry that knows no schema, and can be down. */
export interface EmptyRegistry {
  readonly url: string;
  down(is: boolean): void;
  close(): void;
}

export async function startEmptyRegistry(): Promise<EmptyRegistry> {
  let isDown = false;
  const server = createServer((_, response) => {
    response.writeHead(isDown ? 503 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error_code: isDown ? 50302 : 40403, message: 'no' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    down: (is) => {
      isDown = is;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
