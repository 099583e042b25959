/** One reference, whatever its host answers, is never an outage, nor the end of the process. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { createHttpFetcher, type HttpFetcherOptions } from '../../src/references/http-fetcher.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { HTTP_OPTIONS } from '../support/http-fetcher.ts';
import {
  chunked,
  ok,
  raw,
  startRawServer,
  withStatus,
  type RawAnswer,
  type RawServer,
} from '../support/raw-server.ts';

const IMAGE = 'the image';
const LENGTH = `Content-Length: ${IMAGE.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';

let server: RawServer;
let answer: (target: string) => RawAnswer;
const fetchers: OpenFetcher[] = [];

beforeAll(async () => {
  server = await startRawServer(({ method, target }) =>
    method === 'HEAD' ? withStatus('404 Not Found', []) : answer(target),
  );
});
afterAll(() => server.close());
afterEach(async () => {
  await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()));
  server.requests.length = 0;
});

function fetchImage(path = '/a.jpg', options: Partial<HttpFetcherOptions> = {}): Promise<Buffer> {
  const fetcher = createHttpFetcher({
    ...HTTP_OPTIONS,
    allowHosts: ['127.0.0.1'],
    allowPorts: [server.port],
    allowAddresses: ['127.0.0.1/32'],
    ...options,
  });
  fetchers.push(fetcher);
  return fetcher.fetch(`${server.origin}${path}`);
}

const packed = (coding: string, body: Buffer | string): Buffer =>
  ok([`Content-Encoding: ${coding}`, `Content-Length: ${body.length}`], body);
const informed = (...statuses: string[]): Buffer =>
  Buffer.concat([...statuses.map((status) => withStatus(status, [])), ok([LENGTH], IMAGE)]);

describe('is the image, as RFC 9112 and RFC 9110 have it', () => {
  it.each<[string, RawAnswer]>([
    ['Content-Length', ok([LENGTH], IMAGE)],
    ['chunked', ok([CHUNKED], chunked(IMAGE))],
    [
      'chunks with extensions and trailers',
      ok([CHUNKED], '9;a=b\r\nthe image\r\n0\r\nX: y\r\n\r\n'),
    ],
    ['Content-Length, then chunked', ok([LENGTH, CHUNKED], chunked(IMAGE))],
    ['chunked, then Content-Length', ok([CHUNKED, LENGTH], chunked(IMAGE))],
    [
      'a wrong Content-Length that chunked overrides',
      ok(['Content-Length: 3', CHUNKED], chunked(IMAGE)),
    ],
    ['100 before it', informed('100 Continue')],
    ['100 twice before it', informed('100 Continue', '100 Continue')],
    ['102 and 103 before it', informed('102 Processing', '103 Early Hints', '103 Early Hints')],
    ['an unknown 1xx before it', informed('199 Unheard Of')],
    ['a folded header line (RFC 9112, 5.2)', ok(['X-A: b', ' c', LENGTH], IMAGE)],
    ['no reason phrase', withStatus('200', [LENGTH], IMAGE)],
    ['an empty reason phrase', withStatus('200 ', [LENGTH], IMAGE)],
    ['HTTP/1.0 and no length', raw(`HTTP/1.0 200 OK\r\n\r\n${IMAGE}`)],
    ['HTTP/1.1 and no length', ok([], IMAGE)],
    ['bytes after its end', ok([LENGTH], `${IMAGE}and more`)],
    [
      'another answer after its end',
      Buffer.concat([ok([LENGTH], IMAGE), ok([LENGTH], 'not asked')]),
    ],
    ['header values that are not ASCII', ok(['X-A: \xfc\xff', LENGTH], IMAGE)],
    ['a control character in a header', ok(['X-A: b\x07', LENGTH], IMAGE)],
    [
      'header names like members of Object.prototype',
      ok(['__proto__: a', 'constructor: b', LENGTH], IMAGE),
    ],
    ['lines that end in LF alone', raw(`HTTP/1.1 200 OK\n${LENGTH}\n\n${IMAGE}`)],
    ['identity', packed('identity', IMAGE)],
    ['Identity, in any case', packed('IDENTITY', IMAGE)],
    ['an empty Content-Encoding', packed('', IMAGE)],
    ['aws-chunked', packed('aws-chunked', IMAGE)],
    ['an unknown coding, as in fetch()', packed('utf-8', IMAGE)],
    ['an unknown coding beside a known one', packed('gzip, rot13', IMAGE)],
    ['a coding like a member of Object.prototype', packed('constructor', IMAGE)],
    ['gzip', packed('gzip', gzipSync(IMAGE))],
    ['X-GZIP', packed('X-GZIP', gzipSync(IMAGE))],
    ['deflate', packed('deflate', deflateSync(IMAGE))],
    ['br', packed('br', brotliCompressSync(IMAGE))],
    ['zstd', packed('zstd', zstdCompressSync(IMAGE))],
    ['gzip, identity', packed('gzip, identity', gzipSync(IMAGE))],
    ['deflate, gzip', packed('deflate, gzip', gzipSync(deflateSync(IMAGE)))],
    ['gzip, then garbage', packed('gzip', Buffer.concat([gzipSync(IMAGE), Buffer.from('\0\0')]))],
  ])('%s', async (_, bytes) => {
    answer = () => bytes;
    expect(String(await fetchImage())).toBe(IMAGE);
  });
});

describe('is a fault of the reference', () => {
  it.each<[string, RawAnswer, string]>([
    // RFC 9110, 8.6 leaves the choice to refuse these
    ['the same Content-Length twice', ok([LENGTH, LENGTH], IMAGE), 'image_unfetchable'],
    [
      'the same Content-Length in one line',
      ok(['Content-Length: 9, 9'], IMAGE),
      'image_unfetchable',
    ],
    ['two lengths that differ', ok([LENGTH, 'Content-Length: 8'], IMAGE), 'image_unfetchable'],
    ['a length that is no number', ok(['Content-Length: nine'], IMAGE), 'image_unfetchable'],
    ['a negative length', ok(['Content-Length: -1'], IMAGE), 'image_unfetchable'],
    [
      'a length beyond 64 bits',
      ok([`Content-Length: ${'9'.repeat(40)}`], IMAGE),
      'image_unfetchable',
    ],
    ['a chunk that is cut off', ok([CHUNKED], 'ff\r\nhalf'), 'image_unfetchable'],
    ['chunks without their end', ok([CHUNKED], '4\r\nhalf\r\n'), 'image_unfetchable'],
    ['a chunk size that is no number', ok([CHUNKED], 'xyz\r\nhalf'), 'image_unfetchable'],
    ['a body shorter than its length', ok(['Content-Length: 100'], IMAGE), 'image_unfetchable'],
    ['a NUL in a header name', ok(['X-\0A: b', LENGTH], IMAGE), 'image_unfetchable'],
    ['a header line without a colon', ok(['what is this', LENGTH], IMAGE), 'image_unfetchable'],
    ['headers of 100 KB', ok([`X-A: ${'b'.repeat(100_000)}`, LENGTH], IMAGE), 'image_unfetchable'],
    [
      'headers of many lines',
      ok([...Array<string>(5_000).fill('X-A: b'), LENGTH], IMAGE),
      'image_unfetchable',
    ],
    ['a head that is cut off', raw('HTTP/1.1 200 OK\r\nContent-Le'), 'image_unfetchable'],
    ['a connection closed without a byte', 'close', 'image_unfetchable'],
    ['no HTTP', raw('220 mail.example ESMTP\r\n'), 'image_unfetchable'],
    ['an empty line', raw('\r\n'), 'image_unfetchable'],
    ['TLS where HTTP was expected', raw('\x15\x03\x01\0\x02\x02\x16'), 'image_unfetchable'],
    ['101 that no request asked for', withStatus('101 Switching', []), 'image_unfetchable'],
    ['an upgrade', withStatus('101 S', ['Upgrade: x', 'Connection: upgrade']), 'image_unfetchable'],
    ['1xx and nothing more', withStatus('100 Continue', []), 'image_unfetchable'],
    ['a status beyond 599', withStatus('999 Denied', [LENGTH], IMAGE), 'image_unfetchable'],
    ['a status of two digits', withStatus('20 OK', [LENGTH], IMAGE), 'image_unfetchable'],
    ['204', withStatus('204 No Content', []), 'image_unfetchable'],
    [
      '206 to a request for the whole',
      withStatus('206 Partial', [LENGTH], IMAGE),
      'image_unfetchable',
    ],
    ['304 to a request without a condition', withStatus('304 Same', []), 'image_unfetchable'],
    [
      '404 with a body that is cut off',
      withStatus('404 Gone', ['Content-Length: 99']),
      'image_not_found',
    ],
    [
      '403 with a body that does not unpack',
      withStatus('403 No', ['Content-Encoding: gzip'], 'x'),
      'image_forbidden',
    ],
    ['gzip over plain bytes', packed('gzip', IMAGE), 'image_unfetchable'],
    ['br over plain bytes', packed('br', IMAGE), 'image_unfetchable'],
    ['zstd over plain bytes', packed('zstd', IMAGE), 'image_unfetchable'],
    ['deflate over plain bytes', packed('deflate', IMAGE), 'image_unfetchable'],
    ['six codings', packed('gzip,gzip,gzip,gzip,gzip,gzip', IMAGE), 'image_unfetchable'],
    ['a bomb of gzip', packed('gzip', gzipSync(Buffer.alloc(10_000_000))), 'image_too_large'],
    [
      'a bomb in a bomb',
      packed('gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000)))),
      'image_too_large',
    ],
    ['gzip of nothing', packed('gzip', gzipSync('')), 'image_empty'],
    ['no bytes', ok(['Content-Length: 0']), 'image_empty'],
    ['a redirect to nowhere', withStatus('302 Found', []), 'image_unfetchable'],
    [
      'a redirect to what is no URL',
      withStatus('302 Found', ['Location: http://[']),
      'image_unfetchable',
    ],
    ['a redirect to itself', withStatus('302 Found', ['Location:']), 'image_url_refused'],
    [
      'a redirect with a password',
      withStatus('302 F', ['Location: http://me:secret@a/']),
      'image_url_refused',
    ],
  ])('%s', async (_, bytes, code) => {
    answer = () => bytes;
    const error: unknown = await fetchImage().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code, disposition: 'not-inspected' });
    expect(server.requests.length).toBeLessThanOrEqual(6);
    expect(JSON.stringify([error, (error as Error).message])).not.toContain('secret');
  });
});

describe('a redirect', () => {
  it.each([
    ['in UTF-8', '/\xc3\xbc.jpg', '/%C3%BC.jpg'],
    ['in Latin-1', '/\xfc.jpg', '/%C3%BC.jpg'],
    ['with a fragment', '/b.jpg#part', '/b.jpg'],
    ['relative to its folder', 'b.jpg?x=1', '/folder/b.jpg?x=1'],
    ['up', '../b.jpg', '/b.jpg'],
    ['to a query alone', '?b', '/folder/a.jpg?b'],
    ['with a space', '/b c.jpg', '/b%20c.jpg'],
  ])('%s', async (_, location, target) => {
    answer = (asked) =>
      asked === '/folder/a.jpg'
        ? withStatus('302 Found', [`Location: ${location}`, 'Content-Length: 0'])
        : ok([LENGTH], IMAGE);
    expect(String(await fetchImage('/folder/a.jpg'))).toBe(IMAGE);
    expect(server.requests).toEqual(['GET /folder/a.jpg', `GET ${target}`]);
  });

  it('is followed although its body is cut off', async () => {
    answer = (asked) =>
      asked === '/a.jpg'
        ? withStatus('302 Found', ['Location: /b.jpg', 'Content-Length: 99'], 'x')
        : ok([LENGTH], IMAGE);
    expect(String(await fetchImage())).toBe(IMAGE);
  });
});

describe('is an outage, of a host that it names', () => {
  it.each<[string, RawAnswer]>([
    ['500', withStatus('500 Oops', [])],
    ['503 with a body that is cut off', withStatus('503 Busy', ['Content-Length: 99'], 'x')],
    ['429', withStatus('429 Slow Down', [])],
    ['no answer in time', 'hang'],
  ])('%s', async (_, bytes) => {
    answer = () => bytes;
    await expect(fetchImage('/a.jpg', { headersTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'image_store_unavailable',
      dependency: server.origin,
    });
  });

  it('a body that stops', async () => {
    const half: RawAnswer = { begun: ok(['Content-Length: 99'], 'x') };
    answer = () => half;
    await expect(fetchImage('/a.jpg', { bodyTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'image_store_unavailable',
      message: expect.stringContaining('UND_ERR_BODY_TIMEOUT'),
      dependency: server.origin,
    });
  });

  it('an answer that breaks off in another place each time', async () => {
    let asked = 0;
    answer = () => ok(['Content-Length: 99'], 'x'.repeat((asked += 1)));
    await expect(fetchImage()).rejects.toMatchObject({
      code: 'image_store_unavailable',
      dependency: server.origin,
    });
    expect(server.requests).toHaveLength(3);
  });

  it('the target of a redirect that is away', async () => {
    const gone = await startRawServer(() => 'close');
    await gone.close();
    answer = () => withStatus('302 Found', [`Location: ${gone.origin}/`, 'Content-Length: 0']);
    const allowPorts = [server.port, gone.port];
    await expect(fetchImage('/a.jpg', { allowPorts })).rejects.toMatchObject({
      code: 'image_store_unavailable',
      dependency: gone.origin,
    });
  });
});

it('an answer that is whole the second time is the image', async () => {
  answer = () => ok([LENGTH], server.requests.length === 1 ? 'half' : IMAGE);
  expect(String(await fetchImage())).toBe(IMAGE);
  expect(server.requests).toHaveLength(2);
});
