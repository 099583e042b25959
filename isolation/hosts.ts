/** Image hosts on 127.0.0.1 that fail their clients in three ways. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Hosts {
  /** Answers 503 until `recover()`, then with the image. */
  away: number;
  /** Accepts connections and never answers. */
  silent: number;
  /** Sends a whole header, then 10 bytes a second. */
  trickle: number;
  recover(): void;
  close(): Promise<void>;
}

const TRICKLE_EVERY_MS = 100;

export async function startHosts(picture: Buffer): Promise<Hosts> {
  let isAway = true;
  const answerAway: RequestListener = (_, response) => {
    if (isAway) response.writeHead(503).end();
    else response.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture);
  };
  const answerSlowly: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-length': picture.length });
    let sent = 0;
    const timer = setInterval(() => {
      response.write(picture.subarray(sent, sent + 1));
      sent += 1;
      if (sent === picture.length) response.end();
    }, TRICKLE_EVERY_MS);
    response.on('close', () => clearInterval(timer));
  };
  const servers = [answerAway, () => undefined, answerSlowly].map((answer) => createServer(answer));
  const [away = 0, silent = 0, trickle = 0] = await Promise.all(servers.map(listen));
  return {
    away,
    silent,
    trickle,
    recover: () => {
      isAway = false;
    },
    close: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close').catch(() => undefined);
}
