/** How the http fetcher gets its connections: over TLS, and by way of a proxy or not. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHttpFetcher, type HttpFetcherOptions } from '../../src/references/http-fetcher.ts';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { HTTP_OPTIONS } from '../support/http-fetcher.ts';
import { startRecordingServer, type RecordingServer } from '../support/recording-server.ts';

let certificates: Certificates;
let ca: string;
let plain: RecordingServer;
let secure: RecordingServer;
const environment = { ...process.env };

beforeAll(async () => {
  certificates = await makeCertificates();
  ca = await readFile(certificates.ca, 'utf8');
  const folder = dirname(certificates.ca);
  const tls = {
    key: await readFile(join(folder, 'broker.key'), 'utf8'),
    cert: await readFile(join(folder, 'broker.pem'), 'utf8'),
  };
  plain = await startRecordingServer((_, response) => response.end('plain'));
  secure = await startRecordingServer(
    ({ url }, response) => {
      if (url === '/down') response.writeHead(302, { location: `${plain.origin}/a.jpg` }).end();
      else response.end('secure');
    },
    { tls },
  );
});
afterAll(async () => {
  await Promise.all([plain.close(), secure.close(), certificates.remove()]);
});
afterEach(() => {
  process.env = { ...environment };
});

async function fetchOnce(uri: string, options: Partial<HttpFetcherOptions> = {}): Promise<string> {
  const fetcher = createHttpFetcher({
    ...HTTP_OPTIONS,
    allowHosts: ['127.0.0.1', 'localhost', 'img.example'],
    allowPorts: [plain.port, secure.port],
    allowAddresses: ['127.0.0.1/32'],
    resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    ...options,
  });
  try {
    return String(await fetcher.fetch(uri));
  } finally {
    await fetcher.close();
  }
}

describe('over TLS', () => {
  it('serves a host whose certificate holds', async () => {
    await expect(fetchOnce(`${secure.origin}/a.jpg`, { ca })).resolves.toBe('secure');
    const byName = `https://localhost:${secure.port}/a.jpg`;
    await expect(fetchOnce(byName, { ca })).resolves.toBe('secure');
  });

  it.each([
    ['of an authority that nobody knows', 'localhost', false],
    ['for another name', 'img.example', true],
  ])('holds out for a certificate that is not %s', async (_, host, known) => {
    const uri = `https://${host}:${secure.port}/a.jpg`;
    const before = secure.requests.length;
    await expect(fetchOnce(uri, known ? { ca } : {})).rejects.toMatchObject({
      code: 'image_store_unavailable',
      message: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(secure.requests).toHaveLength(before);
  });

  it('follows no redirect down to plain HTTP', async () => {
    const before = plain.connections();
    await expect(fetchOnce(`${secure.origin}/down`, { ca })).rejects.toMatchObject({
      code: 'image_url_refused',
      message: expect.stringContaining('from https to http'),
    });
    expect(plain.connections()).toBe(before);
  });
});

describe('a proxy in the environment', () => {
  let proxy: RecordingServer;
  beforeAll(async () => {
    proxy = await startRecordingServer((_, response) => response.end('by proxy'));
  });
  afterAll(() => proxy.close());

  it('is left alone unless it is asked for', async () => {
    process.env['HTTP_PROXY'] = proxy.origin;
    await expect(fetchOnce(`${plain.origin}/a.jpg`)).resolves.toBe('plain');
    expect(proxy.connections()).toBe(0);
  });

  it('is used when it is, even for hosts whose address could not be judged', async () => {
    process.env['HTTP_PROXY'] = proxy.origin;
    const uri = `http://img.example:${plain.port}/a.jpg`;
    await expect(fetchOnce(uri, { proxy: 'environment' })).resolves.toBe('by proxy');
    expect(proxy.connections()).toBe(1);
  });

  it('is asked for allowed URLs only', async () => {
    process.env['HTTP_PROXY'] = proxy.origin;
    const before = proxy.connections();
    for (const uri of ['http://other.example/', 'http://169.254.169.254/']) {
      const options = { proxy: 'environment', allowHosts: ['169.254.169.254'], allowPorts: [80] };
      await expect(fetchOnce(uri, options as Partial<HttpFetcherOptions>)).rejects.toMatchObject({
        code: 'image_url_refused',
      });
    }
    expect(proxy.connections()).toBe(before);
  });

  it('is gone round for hosts of NO_PROXY, whose addresses are judged', async () => {
    process.env['HTTP_PROXY'] = proxy.origin;
    process.env['NO_PROXY'] = 'img.example';
    const before = proxy.connections();
    const uri = `http://img.example:${plain.port}/a.jpg`;
    const options = { proxy: 'environment', allowAddresses: [] } as const;
    await expect(fetchOnce(uri, options)).rejects.toMatchObject({ code: 'image_url_refused' });
    expect(proxy.connections()).toBe(before);
  });
});
