import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Connections } from '../../src/kafka/connections.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A broker that answers, or one that is frozen: it takes connections and says nothing. */
async function aBroker(says: string | undefined): Promise<{ port: number; address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (says !== undefined) socket.write(says);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, address: `127.0.0.1:${port}` };
}

function open(connections: Connections, port: number) {
  const factory = connections.watched(({ host, port: to, onConnect }) =>
    connect({ host, port: to }, onConnect),
  );
  const socket = factory({ host: '127.0.0.1', port, ssl: {}, onConnect: () => undefined });
  socket.on('error', () => undefined);
  return socket;
}

describe('the brokers that a client begins at', () => {
  it('are tried in the order of the configuration while none is known', () => {
    expect(new Connections().byLife(['a:1', 'b:2', 'c:3'])).toEqual(['a:1', 'b:2', 'c:3']);
  });

  it('begin with the one that was heard of last, and end with those that say nothing', async () => {
    const connections = new Connections();
    const [frozen, first, second] = await Promise.all([
      aBroker(undefined),
      aBroker('hello'),
      aBroker('hello'),
    ]);
    await once(open(connections, frozen.port), 'connect');
    await once(open(connections, first.port), 'data');
    await once(open(connections, second.port), 'data');
    expect(connections.byLife([frozen.address, first.address, second.address])).toEqual([
      second.address,
      first.address,
      frozen.address,
    ]);
    connections.close();
  });
});

describe('after the clients have ended', () => {
  it('no connection is open, and none that is opened stays so', async () => {
    const connections = new Connections();
    const { port } = await aBroker(undefined);
    const before = open(connections, port);
    await once(before, 'connect');
    connections.close();
    expect(before.destroyed).toBe(true);
    expect(open(connections, port).destroyed).toBe(true);
  });
});
