/** How the http fetcher repeats and closes its connections, seen from a server of raw bytes. */
import { expect, it } from '@jest/globals';
import { createHttpFetcher } from '../../src/references/http-fetcher.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { HTTP_OPTIONS } from '../support/http-fetcher.ts';
import { ok, raw, startRawServer, type RawServer } from '../support/raw-server.ts';

const IMAGE = 'the image';
const LENGTH = `Content-Length: ${IMAGE.length}`;

const fetcherFor = ({ port }: RawServer): OpenFetcher =>
  createHttpFetcher({
    ...HTTP_OPTIONS,
    allowHosts: ['127.0.0.1'],
    allowPorts: [port],
    allowAddresses: ['127.0.0.1/32'],
    connectionsPerHost: 1,
  });

it('bytes after an answer on a kept connection spoil no other answer', async () => {
  const server = await startRawServer(
    ({ target }) => ok([LENGTH], target === '/a.jpg' ? `${IMAGE}HTTP/1.1 200 OK\r\n` : IMAGE),
    { keepAlive: true },
  );
  const fetcher = fetcherFor(server);
  for (const path of ['/a.jpg', '/b.jpg', '/a.jpg', '/c.jpg']) {
    expect(String(await fetcher.fetch(`${server.origin}${path}`))).toBe(IMAGE);
  }
  await fetcher.close();
  await server.close();
});

it('a repeat that is under way when the fetcher closes ends, and is no verdict', async () => {
  const repeated = Promise.withResolvers<undefined>();
  const server = await startRawServer(() => {
    if (server.requests.length === 1) return raw('no HTTP\r\n');
    repeated.resolve(undefined);
    return 'hang';
  });
  const fetcher = fetcherFor(server);
  const fetched = fetcher.fetch(`${server.origin}/a.jpg`).catch((error: unknown) => error);
  await repeated.promise;
  await fetcher.close();
  await expect(fetched).resolves.toMatchObject({ disposition: 'retry' });
  await server.close();
});
