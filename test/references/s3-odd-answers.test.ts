/** One key of one bucket, whatever the store answers for it, is never an outage, nor the end of the process. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { createS3Fetcher, type S3FetcherOptions } from '../../src/references/s3-fetcher.ts';
import {
  chunked,
  ok,
  raw,
  startRawServer,
  withStatus,
  type RawAnswer,
  type RawServer,
} from '../support/raw-server.ts';
import '../support/one-realm.ts';

const IMAGE = 'the image';
/** Lets the SDK keep no connection that the server closes. */
const CLOSE = 'Connection: close';
const LENGTH = `Content-Length: ${IMAGE.length}`;

let server: RawServer;
let answer: (target: string, head: string) => RawAnswer;
const fetchers: OpenFetcher[] = [];
const environment = { ...process.env };

beforeAll(async () => {
  server = await startRawServer(({ target, head }) => answer(target, head));
});
afterAll(() => server.close());
beforeEach(() => {
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
  server.requests.length = 0;
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

const xml = (code: string, more = ''): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message>${more}</Error>`;
const failing = (status: number, code: string, headers: string[] = []): Buffer =>
  withStatus(`${status} No`, ['Content-Type: application/xml', ...headers], xml(code));

describe('is a fault of the key', () => {
  it.each<[string, RawAnswer, string]>([
    ['403 with an unknown code', failing(403, 'NotToday'), 'image_forbidden'],
    ['403 without a body', withStatus('403 No', ['Content-Length: 0']), 'image_forbidden'],
    ['401 with an unknown code', failing(401, 'Unauthorized'), 'image_forbidden'],
    ['404 with an unknown code', failing(404, 'Gone'), 'image_not_found'],
    ['404 in HTML', withStatus('404 No', [], '<html><body>Not Found'), 'image_not_found'],
    ['400 with an unknown code', failing(400, 'Whatever'), 'image_unfetchable'],
    ['409 with an unknown code', failing(409, 'Whatever'), 'image_unfetchable'],
    ['416', failing(416, 'InvalidRange'), 'image_unfetchable'],
    ['418', failing(418, 'Teapot'), 'image_unfetchable'],
    ['301 without a region', failing(301, 'PermanentRedirect'), 'image_unfetchable'],
    [
      '301 to what is no region',
      failing(301, 'PermanentRedirect', ['x-amz-bucket-region: evil.example/']),
      'image_unfetchable',
    ],
    [
      '301 to the same region for ever',
      failing(301, 'PermanentRedirect', ['x-amz-bucket-region: us-west-2']),
      'image_unfetchable',
    ],
    [
      '307',
      failing(307, 'TemporaryRedirect', ['Location: http://evil.example/']),
      'image_unfetchable',
    ],
    ['304', withStatus('304 Same', []), 'image_unfetchable'],
    ['204', withStatus('204 No Content', []), 'image_unfetchable'],
    [
      '206 to a request for the whole',
      withStatus('206 Partial', [LENGTH], IMAGE),
      'image_unfetchable',
    ],
    ['an empty code', failing(400, ''), 'image_unfetchable'],
    ['a code of markup', failing(400, '<a><b>c</b></a>'), 'image_unfetchable'],
    ['the code constructor', failing(400, 'constructor'), 'image_unfetchable'],
    ['the code toString', failing(403, 'toString'), 'image_forbidden'],
    ['the code __proto__', failing(404, '__proto__'), 'image_not_found'],
    ['the code hasOwnProperty', failing(400, 'hasOwnProperty'), 'image_unfetchable'],
    ['a code with a namespace', failing(400, 'evil#NoSuchKey'), 'image_not_found'],
    [
      'XML that does not parse',
      withStatus('400 No', [], '<Error><Code>A</Cod'),
      'image_unfetchable',
    ],
    ['bytes for XML', withStatus('400 No', [], '\0\xff\xfe'), 'image_unfetchable'],
    [
      'XML with entities',
      withStatus('400 No', [], `<!DOCTYPE a [<!ENTITY b "c">]>${xml('&b;')}`),
      'image_unfetchable',
    ],
    [
      'an error body of 10 MB',
      withStatus('400 No', [], xml('A', 'x'.repeat(10_000_000))),
      'image_unfetchable',
    ],
    ['no bytes', ok(['Content-Length: 0']), 'image_empty'],
    ['too many bytes', ok([], 'x'.repeat(1_001)), 'image_too_large'],
    ['no HTTP', raw('220 mail.example ESMTP\r\n'), 'image_unfetchable'],
    ['two lengths', ok([LENGTH, 'Content-Length: 3'], IMAGE), 'image_unfetchable'],
    [
      'chunked and a length',
      ok(['Transfer-Encoding: chunked', LENGTH], chunked(IMAGE)),
      'image_unfetchable',
    ],
    [
      'a chunk that is cut off',
      ok(['Transfer-Encoding: chunked'], 'ff\r\nhalf'),
      'image_unfetchable',
    ],
    ['a body shorter than its length', ok(['Content-Length: 99'], IMAGE), 'image_unfetchable'],
    ['a header line without a colon', ok(['what is this', LENGTH], IMAGE), 'image_unfetchable'],
    ['headers of 100 KB', ok([`X-A: ${'b'.repeat(100_000)}`, LENGTH], IMAGE), 'image_unfetchable'],
  ])('%s', async (_, bytes, code) => {
    answer = () => bytes;
    const error: unknown = await (
      await fetcherOf()
    )
      .fetch('s3://bucket/a.jpg')
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code, disposition: 'not-inspected' });
    expect(server.requests.length).toBeLessThanOrEqual(6);
  });

  it('a connection that is closed without a byte, for this key alone', async () => {
    answer = (target) => (target.includes('a.jpg') ? 'close' : failing(404, 'NoSuchKey'));
    const fetcher = await fetcherOf();
    await expect(fetcher.fetch('s3://bucket/a.jpg')).rejects.toMatchObject({
      code: 'image_unfetchable',
    });
  });
});

describe('is an outage, of a bucket that it names', () => {
  it.each<[string, RawAnswer]>([
    ['500', failing(500, 'InternalError')],
    ['503', failing(503, 'SlowDown')],
    ['500 in HTML', withStatus('500 Oops', [], '<html>')],
    ['502 with the code of an object', failing(502, 'Whatever')],
    ['429', failing(429, 'TooManyRequests')],
    ['400 RequestTimeout', failing(400, 'RequestTimeout')],
    ['403 InvalidAccessKeyId', failing(403, 'InvalidAccessKeyId')],
    ['403 SignatureDoesNotMatch', failing(403, 'SignatureDoesNotMatch')],
    ['400 ExpiredToken', failing(400, 'ExpiredToken')],
    ['403 RequestTimeTooSkewed', failing(403, 'RequestTimeTooSkewed')],
    ['a connection that is closed without a byte, for each key', 'close'],
  ])('%s', async (_, bytes) => {
    answer = () => bytes;
    const fetcher = await fetcherOf();
    await expect(fetcher.fetch('s3://bucket/a.jpg')).rejects.toMatchObject({
      code: 'image_store_unavailable',
      disposition: 'retry',
      dependency: 's3://bucket',
    });
    await expect(fetcher.probe('s3://bucket')).resolves.toBe(false);
  });

  it.each<[string, RawAnswer]>([
    ['404', failing(404, 'NoSuchKey')],
    ['403', failing(403, 'AccessDenied')],
    ['an object', ok([LENGTH], IMAGE)],
    ['an object over the limit', ok([], 'x'.repeat(1_001))],
    ['bytes that are no HTTP', raw('220 mail.example ESMTP\r\n')],
  ])('but a store that answers a probe with %s is there', async (_, bytes) => {
    answer = () => bytes;
    await expect((await fetcherOf()).probe('s3://bucket')).resolves.toBe(true);
  });
});

describe('a bucket in another region', () => {
  const signedFor = (head: string): string | undefined =>
    /Credential=me\/\d+\/([^/]+)\//.exec(head)?.[1];

  it.each<[string, Buffer]>([
    [
      '301 with a header',
      failing(301, 'PermanentRedirect', [CLOSE, 'x-amz-bucket-region: us-west-2']),
    ],
    [
      '400 with an element',
      withStatus(
        '400 No',
        [CLOSE],
        xml('AuthorizationHeaderMalformed', '<Region>us-west-2</Region>'),
      ),
    ],
  ])('is served from there, and from then on at once: %s', async (_, elsewhere) => {
    const regions: unknown[] = [];
    answer = (target, head) => {
      const region = signedFor(head);
      regions.push(region);
      if (target.startsWith('/elsewhere/') && region !== 'us-west-2') return elsewhere;
      return ok([CLOSE, LENGTH], IMAGE);
    };
    const fetcher = await fetcherOf();
    for (const uri of ['s3://elsewhere/a', 's3://elsewhere/b', 's3://mine/c']) {
      expect(String(await fetcher.fetch(uri))).toBe(IMAGE);
    }
    expect(regions).toEqual(['us-east-1', 'us-west-2', 'us-west-2', 'us-east-1']);
  });

  it('disturbs no other bucket that is fetched from at the same time', async () => {
    const wrong: string[] = [];
    answer = (target, head) => {
      const region = signedFor(head);
      const right = target.startsWith('/mine/') ? 'us-east-1' : 'us-west-2';
      if (region === right) return ok([CLOSE, LENGTH], IMAGE);
      if (right === 'us-east-1') wrong.push(target);
      return failing(301, 'PermanentRedirect', [CLOSE, 'x-amz-bucket-region: us-west-2']);
    };
    const fetcher = await fetcherOf({ connections: 16 });
    const uris = Array.from({ length: 40 }, (_, i) => `s3://${i % 2 ? 'mine' : 'other'}/${i}`);
    const images = await Promise.all(uris.map((uri) => fetcher.fetch(uri)));
    expect(images.every((image) => String(image) === IMAGE)).toBe(true);
    expect(wrong).toEqual([]);
  });
});
