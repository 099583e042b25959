import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

/** `count` different free TCP ports of 127.0.0.1. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** A Metadata request, version 4, for no topics: https://kafka.apache.org/protocol#The_Messages_Metadata */
function metadataRequest(): Buffer {
  const request = Buffer.alloc(19);
  request.writeInt32BE(15, 0); // size of what follows
  request.writeInt16BE(3, 4); // Metadata
  request.writeInt16BE(4, 6); // version
  request.writeInt32BE(7, 8); // correlation id
  request.writeInt16BE(-1, 12); // no client id
  request.writeInt32BE(0, 14); // no topics
  request.writeInt8(0, 18); // create none
  return request;
}

/** The broker ids of a complete response, size included. */
function brokerIds(response: Buffer): number[] {
  const ids: number[] = [];
  let at = 12; // size, correlation id, throttle time
  const count = response.readInt32BE(at);
  at += 4;
  for (let i = 0; i < count; i++) {
    ids.push(response.readInt32BE(at));
    at += 4;
    at += 2 + response.readInt16BE(at) + 4; // host, port
    at += 2 + Math.max(response.readInt16BE(at), 0); // rack
  }
  return ids;
}

/** Ids of the brokers that the one at `port` of 127.0.0.1 knows as alive; rejects while it does not answer. */
export async function aliveBrokers(port: number, timeoutMs = 2000): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(metadataRequest()));
    let response = Buffer.alloc(0);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
    socket.on('close', () => {
      reject(new Error('closed before it answered'));
    });
    socket.on('data', (chunk: Buffer) => {
      response = Buffer.concat([response, chunk]);
      if (response.length < 4 || response.length < 4 + response.readInt32BE(0)) return;
      resolve(brokerIds(response));
      socket.destroy();
    });
  });
}
