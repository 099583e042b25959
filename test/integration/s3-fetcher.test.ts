import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { createS3Fetcher, type S3FetcherOptions } from '../../src/references/s3-fetcher.ts';
import { imageFetcherConformance } from '../support/image-fetcher-conformance.ts';
import { uniqueName } from '../support/kafka.ts';
import { startS3, type S3Server } from '../support/s3.ts';
import '../support/one-realm.ts';

const MAX_BYTES = 100_000;
const bucket = uniqueName('bucket');

let s3: S3Server;
let client: S3Client;
const fetchers: OpenFetcher[] = [];
const environment = { ...process.env };

beforeAll(async () => {
  s3 = await startS3();
  Object.assign(process.env, s3.env);
  const { endpoint, region } = s3;
  client = new S3Client({ endpoint, region, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
}, 600_000); // Go installs it the first time
afterAll(async () => {
  process.env = environment;
  client.destroy();
  await Promise.all(fetchers.map((fetcher) => fetcher.close()));
  await s3.stop();
});

async function fetcherOf(options: Partial<S3FetcherOptions> = {}): Promise<OpenFetcher> {
  const fetcher = await createS3Fetcher({
    region: s3.region,
    endpoint: s3.endpoint,
    forcePathStyle: true,
    maxBytes: MAX_BYTES,
    timeoutMs: 10_000,
    attempts: 1,
    connections: 16,
    ...options,
  });
  fetchers.push(fetcher);
  return fetcher;
}

async function put(key: string, bytes: Buffer): Promise<string> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  return `s3://${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

imageFetcherConformance('the S3 fetcher over a real store', async () => ({
  fetcher: await fetcherOf(),
  maxBytes: MAX_BYTES,
  put,
  missing: `s3://${bucket}/nowhere.jpg`,
  answering: `s3://${bucket}`,
  away: 's3://not/a/bucket',
}));

it.each(['folder/a.jpg', 'a b+c.jpg', '50%.jpg', 'a?b#c.jpg', 'naïve-日本.jpg', "(a)'!*~.jpg"])(
  'serves the key %j',
  async (key) => {
    const fetcher = await fetcherOf();
    await expect(fetcher.fetch(await put(key, Buffer.from(key)))).resolves.toEqual(
      Buffer.from(key),
    );
  },
);

it('tells that there is no such bucket', async () => {
  const fetcher = await fetcherOf();
  await expect(fetcher.fetch(`s3://${uniqueName('nowhere')}/a.jpg`)).rejects.toMatchObject({
    code: 'image_not_found',
  });
});

describe('wrong credentials are not held against the image', () => {
  afterEach(() => void Object.assign(process.env, s3.env));

  it.each([
    ['an unknown key', { AWS_ACCESS_KEY_ID: 'nobody' }],
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }],
  ])('%s', async (_, wrong) => {
    const uri = await put('credentials.jpg', Buffer.from('x'));
    Object.assign(process.env, wrong);
    const fetcher = await fetcherOf();
    await expect(fetcher.fetch(uri)).rejects.toMatchObject({
      code: 'image_store_unavailable',
      disposition: 'retry',
      message: expect.stringMatching(/S3 answered 40[34] /),
    });
  });
});

it('holds out for a store that is away, and serves again once it is back', async () => {
  const fetcher = await fetcherOf();
  const uri = await put('outage.jpg', Buffer.from('x'));
  await expect(fetcher.fetch(uri)).resolves.toEqual(Buffer.from('x'));
  await s3.kill();
  await expect(fetcher.fetch(uri)).rejects.toMatchObject({ code: 'image_store_unavailable' });
  await expect(fetcher.probe(`s3://${bucket}`)).resolves.toBe(false);
  await s3.restart();
  await expect(fetcher.probe(`s3://${bucket}`)).resolves.toBe(true);
  await expect(fetcher.fetch(uri)).resolves.toEqual(Buffer.from('x'));
});
