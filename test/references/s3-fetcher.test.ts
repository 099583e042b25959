/** What the fetcher makes of answers that a real store does not give on demand; test/integration has a real one. */
import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { createS3Fetcher, type S3FetcherOptions } from '../../src/references/s3-fetcher.ts';
import { startRecordingServer, type RecordingServer } from '../support/recording-server.ts';
import '../support/one-realm.ts';

let respond: RequestListener;
let server: RecordingServer;
const fetchers: OpenFetcher[] = [];
const environment = { ...process.env };

beforeAll(async () => {
  server = await startRecordingServer((request, response) => respond(request, response));
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  // Nothing of the machine's own configuration, and no metadata service.
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    AWS_ACCESS_KEY_ID: 'me',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
});
afterEach(async () => {
  process.env = { ...environment };
  await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()));
});

async function fetcherOf(options: Partial<S3FetcherOptions> = {}): Promise<OpenFetcher> {
  const fetcher = await createS3Fetcher({
    region: 'us-east-1',
    endpoint: server.origin,
    forcePathStyle: true,
    maxBytes: 1_000,
    timeoutMs: 10_000,
    attempts: 1,
    connections: 2,
    repeatDelayMs: 1,
    ...options,
  });
  fetchers.push(fetcher);
  return fetcher;
}

const fetchOf = async (uri: string, options: Partial<S3FetcherOptions> = {}): Promise<Buffer> =>
  (await fetcherOf(options)).fetch(uri);

const answering =
  (status: number, code: string): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  };

describe('an answer', () => {
  it.each([
    [404, 'NoSuchKey', 'image_not_found'],
    [404, 'NoSuchBucket', 'image_not_found'],
    [404, 'NoSuchVersion', 'image_not_found'],
    [405, 'MethodNotAllowed', 'image_not_found'],
    [403, 'AccessDenied', 'image_forbidden'],
    [403, 'InvalidObjectState', 'image_unfetchable'],
    [400, 'KeyTooLongError', 'image_uri_invalid'],
    [400, 'InvalidArgument', 'image_uri_invalid'],
    [400, 'SomethingElse', 'image_unfetchable'],
    [403, 'InvalidAccessKeyId', 'image_store_unavailable'],
    [403, 'SignatureDoesNotMatch', 'image_store_unavailable'],
    [400, 'ExpiredToken', 'image_store_unavailable'],
    [403, 'RequestTimeTooSkewed', 'image_store_unavailable'],
    [403, 'SomethingElse', 'image_forbidden'],
    [404, 'SomethingElse', 'image_not_found'],
    [301, 'PermanentRedirect', 'image_unfetchable'],
    [400, 'AuthorizationHeaderMalformed', 'image_unfetchable'],
    [400, 'RequestTimeout', 'image_store_unavailable'],
    [429, 'TooManyRequests', 'image_store_unavailable'],
    [500, 'InternalError', 'image_store_unavailable'],
    [503, 'SlowDown', 'image_store_unavailable'],
  ])('%i %s: %s', async (status, name, code) => {
    respond = answering(status, name);
    await expect(fetchOf('s3://bucket/a.jpg')).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`fetching image s3://bucket/a.jpg: S3 answered ${status} `),
    });
  });

  it('over the limit is refused by its announced length, before it comes', async () => {
    respond = (_, response) => response.writeHead(200, { 'content-length': 1_001 }).flushHeaders();
    await expect(fetchOf('s3://bucket/a.jpg')).rejects.toMatchObject({ code: 'image_too_large' });
  });

  it('over the limit is read no further', async () => {
    const left = Promise.withResolvers<undefined>();
    respond = (_, response) => {
      response.on('close', () => left.resolve(undefined));
      response.write(Buffer.alloc(2_000));
    };
    await expect(fetchOf('s3://bucket/a.jpg')).rejects.toMatchObject({ code: 'image_too_large' });
    await left.promise;
  });
});

describe('a store in trouble is not held against the image', () => {
  const unavailable = {
    code: 'image_store_unavailable',
    disposition: 'retry',
    dependency: 's3://bucket',
  };

  it.each<[string, RequestListener]>([
    ['does not answer', () => undefined],
    [
      'stops in the midst of its answer',
      (_, response) => response.writeHead(200, { 'content-length': 10 }).write('half'),
    ],
  ])('when it %s', async (_, listener) => {
    respond = listener;
    await expect(fetchOf('s3://bucket/a.jpg', { timeoutMs: 100 })).rejects.toMatchObject(
      unavailable,
    );
  });

  it('when each connection is lost before its answer', async () => {
    respond = (request) => request.socket.destroy();
    await expect(fetchOf('s3://bucket/a.jpg')).rejects.toMatchObject(unavailable);
  });

  it('when the connection is lost in the midst of the answer, each time elsewhere', async () => {
    let lost = 0;
    respond = (request, response) => {
      lost += 1;
      response.writeHead(200, { 'content-length': 10 });
      response.write('x'.repeat(lost), () => request.socket.end());
    };
    await expect(fetchOf('s3://bucket/a.jpg')).rejects.toMatchObject(unavailable);
  });

  it('when nobody listens', async () => {
    const gone = await startRecordingServer(() => undefined);
    await gone.close();
    await expect(fetchOf('s3://bucket/a.jpg', { endpoint: gone.origin })).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('when there are no credentials', async () => {
    delete process.env['AWS_ACCESS_KEY_ID'];
    await expect(fetchOf('s3://bucket/a.jpg')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('credentials'),
    });
    expect(server.requests).toHaveLength(0);
  });
});

it('tries again what may pass, as often as it is told to', async () => {
  respond = answering(503, 'SlowDown');
  await expect(fetchOf('s3://bucket/a.jpg', { attempts: 2 })).rejects.toMatchObject({
    code: 'image_store_unavailable',
  });
  expect(server.requests).toHaveLength(2);
});

it('lets go at once when it is aborted', async () => {
  const abort = new AbortController();
  const reason = new Error('shutting down');
  respond = () => abort.abort(reason);
  const fetcher = await fetcherOf();
  await expect(fetcher.fetch('s3://bucket/a.jpg', abort.signal)).rejects.toBe(reason);
});

it('asks for the version that the reference names', async () => {
  respond = (_, response) => response.end('x');
  await fetchOf('s3://bucket/a%20b.jpg?versionId=v1');
  expect(server.requests[0]?.url).toMatch(/^\/bucket\/a%20b\.jpg\?(.*&)?versionId=v1(&|$)/);
});

it('whatever a stranger writes, the answer is a code and never the end of the process', async () => {
  respond = answering(404, 'NoSuchKey');
  const [path, host] = [await fetcherOf(), await fetcherOf({ forcePathStyle: false })];
  const bucket = fc.constantFrom(
    'bucket',
    'a.b',
    'A_b',
    'x--x-s3',
    'x--az1--x-s3',
    'x-s3alias',
    '--ol-s3',
  );
  await fc.assert(
    fc.asyncProperty(bucket, fc.string({ unit: 'binary' }), async (name, rest) => {
      for (const fetcher of name === 'bucket' ? [path] : [path, host]) {
        const answer = await fetcher.fetch(`s3://${name}/${rest}`).catch((error: unknown) => error);
        expect(answer).toBeInstanceOf(AppError);
      }
    }),
  );
}, 30_000);

it('serves no bucket but those that are listed', async () => {
  respond = (_, response) => response.end('x');
  const fetcher = await fetcherOf({ buckets: ['media'] });
  await expect(fetcher.fetch('s3://media/a.jpg')).resolves.toEqual(Buffer.from('x'));
  await expect(fetcher.fetch('s3://backups/a.jpg')).rejects.toMatchObject({
    code: 'image_url_refused',
    message: expect.stringContaining('images.s3.buckets'),
  });
  expect(server.requests).toHaveLength(1);
});

it('is not made where no region is known', async () => {
  await expect(createS3FetcherWithout()).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringMatching(/^images\.s3\.region: /),
  });
  process.env['AWS_REGION'] = 'eu-central-1';
  await expect(createS3FetcherWithout()).resolves.toBeDefined();
});

const createS3FetcherWithout = () => fetcherOf({ region: undefined });
