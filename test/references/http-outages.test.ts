/** What the http fetcher makes of hosts that do not answer, or not properly. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import { settle } from '../support/fake-clock.ts';
import { setUpHttp } from '../support/http-fetcher.ts';

const QUICK_MS = 50;

const http = setUpHttp();
const { fetcherOf, fetchOf } = http;

describe('a host in trouble is not held against the image', () => {
  const unavailable = { code: 'image_store_unavailable', disposition: 'retry' };

  it('when nobody listens', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const fetcher = fetcherOf({ allowPorts: [port] });
    await expect(fetcher.fetch(`http://127.0.0.1:${port}/a.jpg`)).rejects.toMatchObject({
      ...unavailable,
      message: `fetching image http://127.0.0.1:${port}/a.jpg: no whole answer (ECONNREFUSED)`,
    });
  });

  it('when its name cannot be resolved', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('?'), { code: 'EAI_AGAIN' }));
    const fetcher = fetcherOf({ allowHosts: ['img.example'], resolve });
    await expect(
      fetcher.fetch(`http://img.example:${http.server.port}/a.jpg`),
    ).rejects.toMatchObject(unavailable);
  });

  it('when it has no address', async () => {
    const fetcher = fetcherOf({ allowHosts: ['img.example'], resolve: () => Promise.resolve([]) });
    await expect(
      fetcher.fetch(`http://img.example:${http.server.port}/a.jpg`),
    ).rejects.toMatchObject(unavailable);
  });

  it('when connecting takes too long', async () => {
    const resolve = () => new Promise<never>(() => undefined);
    const options = { allowHosts: ['img.example'], resolve, connectTimeoutMs: QUICK_MS };
    await expect(
      fetcherOf(options).fetch(`http://img.example:${http.server.port}/a.jpg`),
    ).rejects.toMatchObject(unavailable);
  });

  it('when it sends less than the least rate, however long it goes on', async () => {
    const sending = new Set<NodeJS.Timeout>();
    http.respond = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 10);
      sending.add(timer);
      response.on('close', () => clearInterval(timer));
    };
    await expect(
      fetchOf('/a.jpg', { bodyTimeoutMs: 200, minBytesPerSecond: 1_000 }),
    ).rejects.toMatchObject({
      ...unavailable,
      dependency: http.server.origin,
      message: expect.stringMatching(/sent at \d+ bytes\/s, less than 1000$/) as unknown,
    });
    for (const timer of sending) clearInterval(timer);
  });

  it('when it does not answer', async () => {
    http.respond = () => undefined;
    await expect(fetchOf('/a.jpg', { headersTimeoutMs: QUICK_MS })).rejects.toMatchObject(
      unavailable,
    );
  });

  it('when it stops in the midst of its answer', async () => {
    http.respond = (_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half');
    };
    await expect(fetchOf('/a.jpg', { bodyTimeoutMs: QUICK_MS })).rejects.toMatchObject(unavailable);
  });

  it('when it goes on and on', async () => {
    http.respond = (_, response) => {
      const dripping = setInterval(() => response.write('.'), 5);
      response.on('close', () => clearInterval(dripping));
    };
    await expect(fetchOf('/a.jpg', { totalTimeoutMs: QUICK_MS })).rejects.toMatchObject({
      ...unavailable,
      message: `fetching image ${http.server.origin}/a.jpg: not done within ${QUICK_MS} ms`,
    });
  });

  it('when every connection is lost before the answer, a probe too', async () => {
    http.respond = (request) => request.socket.destroy();
    await expect(fetchOf('/a.jpg')).rejects.toMatchObject(unavailable);
    const asked = http.server.requests.map(({ method, url }) => `${method} ${url}`);
    expect(asked).toEqual(['GET /a.jpg', 'GET /a.jpg', 'GET /a.jpg', 'HEAD /']);
  });
});

it('asks again at once where the host had closed the idle connection', async () => {
  const served = new WeakSet<object>();
  http.respond = (request, response) => {
    if (served.has(request.socket)) request.socket.end();
    else response.end('x');
    served.add(request.socket);
  };
  const fetcher = fetcherOf();
  await fetcher.fetch(`${http.server.origin}/first`);
  await settle();
  await expect(fetcher.fetch(`${http.server.origin}/second`)).resolves.toEqual(Buffer.from('x'));
  expect(http.server.requests.map(({ url }) => url)).toEqual(['/first', '/second', '/second']);
});

it('tells a host that does not speak HTTP', async () => {
  const babbling = createServer((socket) => socket.end('220 mail.example ESMTP\r\n'));
  babbling.listen(0, '127.0.0.1');
  await once(babbling, 'listening');
  const { port } = babbling.address() as AddressInfo;
  const fetcher = fetcherOf({ allowPorts: [port] });
  await expect(fetcher.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
    code: 'image_unfetchable',
  });
  babbling.close();
});

it('whatever a host answers, it is an image or a code and never the end of the process', async () => {
  let answer = '';
  const hostile = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer, 'latin1'));
  });
  hostile.listen(0, '127.0.0.1');
  await once(hostile, 'listening');
  const { port } = hostile.address() as AddressInfo;
  const fetcher = fetcherOf({ allowPorts: [port], headersTimeoutMs: 1_000 });
  const noise = fc.string({ unit: 'binary-ascii', maxLength: 40 });
  const header = fc.constantFrom(
    'Content-Length: 5',
    'Content-Length: 0',
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Connection: upgrade\r\nUpgrade: websocket',
    'Content-Encoding: gzip',
    'Location: http://127.0.0.1:1/',
  );
  const answers = fc
    .tuple(fc.integer({ min: 100, max: 999 }), fc.array(header, { maxLength: 3 }), noise)
    .map(([status, headers, body]) => [`HTTP/1.1 ${status} x`, ...headers, '', body].join('\r\n'));
  const property = fc.asyncProperty(fc.oneof(noise, answers), async (text) => {
    answer = text;
    const got: unknown = await fetcher
      .fetch(`http://127.0.0.1:${port}/a.jpg`)
      .catch((error: unknown) => error);
    if (!Buffer.isBuffer(got)) expect(got).toBeInstanceOf(AppError);
  });
  const examples: Array<[string]> = [['HTTP/1.1 101 x\r\n\r\n']];
  await fc.assert(property, { numRuns: 300, examples }).finally(() => hostile.close());
}, 60_000);
