import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configSchema } from '../src/config-schema.ts';
import { fetcherOf } from '../src/fetcher.ts';
import type { OpenFetcher } from '../src/references/image-fetcher.ts';
import { startRecordingServer, type RecordingServer } from './support/recording-server.ts';

const environment = { ...process.env };
const open: OpenFetcher[] = [];
let server: RecordingServer;

beforeEach(async () => {
  server = await startRecordingServer((_, response) => response.writeHead(503).end());
});
afterEach(async () => {
  process.env = { ...environment };
  await Promise.all(open.splice(0).map((fetcher) => fetcher.close()));
  await server.close();
});

async function fetcherFor(images: object): Promise<OpenFetcher> {
  const fetcher = await fetcherOf({ images: configSchema.shape.images.parse(images) });
  open.push(fetcher);
  return fetcher;
}

const overHttp = (more: object = {}): object => ({
  http: {
    allowHosts: ['127.0.0.1'],
    allowPorts: [server.port],
    allowAddresses: ['127.0.0.1/32'],
    ...more,
  },
});

it.each([
  ['nothing', {}, []],
  ['a root', { root: '/media' }, ['file']],
  ['data', { data: true }, ['data']],
  ['hosts', { http: { allowHosts: ['img.example'] } }, ['http', 'https']],
  ['S3', { s3: { region: 'eu-central-1' } }, ['s3']],
])('with %s configured, serves what is configured', async (_, images, schemes) => {
  expect((await fetcherFor(images)).schemes).toEqual(schemes);
});

it('does not start for S3 without a region', async () => {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  }
  process.env['AWS_CONFIG_FILE'] = '/nonexistent';
  await expect(fetcherFor({ s3: {} })).rejects.toMatchObject({ code: 'config_invalid' });
});

describe('what a reference depends on', () => {
  it('is its host with its share of the connections, waited for by default', async () => {
    const fetcher = await fetcherFor(overHttp({ connectionsPerHost: 5 }));
    expect(fetcher.dependencyOf?.(`${server.origin}/a.jpg`)).toEqual({
      name: server.origin,
      places: 5,
      patience: undefined,
    });
  });

  it('is a host that is given up where the configuration says so', async () => {
    const fetcher = await fetcherFor(
      overHttp({ onOutage: 'give-up', attempts: 2, totalTimeoutMs: 7_000 }),
    );
    expect(fetcher.dependencyOf?.(`${server.origin}/a.jpg`)).toMatchObject({
      patience: { attempts: 2, absentMs: 7_000, code: 'image_host_unavailable' },
    });
  });

  it('is its bucket', async () => {
    const fetcher = await fetcherFor({ s3: { region: 'eu-central-1', buckets: ['media'] } });
    expect(fetcher.dependencyOf?.('s3://media/a.jpg')).toEqual({ name: 's3://media' });
  });

  it.each([
    ['a host that is not allowed', 'http://elsewhere.example/a.jpg'],
    ['a bucket that is not served', 's3://other/a.jpg'],
    ['no bucket', 's3:///a.jpg'],
    ['a scheme that is not served', 'ftp://127.0.0.1/a.jpg'],
    ['no URI', 'a.jpg'],
    ['what is at hand', 'data:image/png;base64,AAAA'],
  ])('is nothing for %s', async (_, uri) => {
    const fetcher = await fetcherFor({
      ...overHttp(),
      data: true,
      s3: { region: 'eu-central-1', buckets: ['media'] },
    });
    expect(fetcher.dependencyOf?.(uri)).toBeUndefined();
  });
});

it('lets go of its connections, and may be told so twice', async () => {
  const fetcher = await fetcherFor(overHttp());
  await fetcher.fetch(`${server.origin}/a.jpg`).catch(() => undefined);
  const closed = new Promise((resolve) => server.requests[0]?.socket.once('close', resolve));
  await fetcher.close();
  await closed;
  await fetcher.close();
});
