import { gzipSync } from 'node:zlib';
import { chunked, ok, raw, withStatus } from '../test/support/raw-server.ts';

/** What a server does with a request. `begun`: these bytes come, and the connection stays open. */
export type Answer =
  { whole: Buffer } | { begun: Buffer } | { trickle: Buffer } | 'never' | 'close';

const BOMB_BYTES = 64 * 1024 * 1024;

/** By name, which is the path that asks for it. Only `whole`, `until-closed` and `chunked` are an image. */
export function hostileAnswers(picture: Buffer): Record<string, Answer> {
  const length = `content-length: ${picture.length}`;
  const whole = (bytes: Buffer): Answer => ({ whole: bytes });
  const status = (line: string, headers: string[] = []): Answer =>
    whole(withStatus(line, ['content-length: 0', ...headers]));
  const to = (location: string): Answer => status('302 Found', [`location: ${location}`]);
  const bomb = gzipSync(Buffer.alloc(BOMB_BYTES));
  return {
    whole: whole(ok([length], picture)),
    'until-closed': whole(ok([], picture)),
    chunked: whole(ok(['transfer-encoding: chunked'], chunked(picture))),
    'cut-short': whole(ok([length], picture.subarray(0, 100))),
    'too-long': whole(ok(['content-length: 10'], picture)),
    'negative-length': whole(ok(['content-length: -1'], picture)),
    'absurd-length': whole(ok(['content-length: 99999999999999999999'], picture)),
    'two-lengths': whole(ok([length, 'content-length: 3'], picture)),
    'length-and-chunks': whole(ok([length, 'transfer-encoding: chunked'], chunked(picture))),
    'chunk-of-no-number': whole(ok(['transfer-encoding: chunked'], 'zz\r\nabc\r\n0\r\n\r\n')),
    'absurd-chunk': whole(ok(['transfer-encoding: chunked'], 'ffffffffffffffff\r\nabc')),
    'unended-chunks': whole(ok(['transfer-encoding: chunked'], '3\r\nabc\r\n')),
    'gzip-bomb': whole(ok(['content-encoding: gzip', `content-length: ${bomb.length}`], bomb)),
    'not-gzip': whole(ok(['content-encoding: gzip', length], picture)),
    'unknown-coding': whole(ok(['content-encoding: x-poison', length], picture)),
    'headers-of-1-mb': whole(ok([`x-large: ${'x'.repeat(1_000_000)}`, length], picture)),
    'ten-thousand-headers': whole(
      ok([...Array.from({ length: 10_000 }, (_, index) => `x-${index}: y`), length], picture),
    ),
    'header-of-control-characters': whole(ok(['x-odd: \x01\x02\0', length], picture)),
    'header-of-no-name': whole(ok([': nameless', length], picture)),
    'no-http': whole(raw('220 smtp.example ESMTP\r\n')),
    noise: whole(Buffer.alloc(4_096, 0xff)),
    'http-0.9': whole(picture),
    'status-999': status('999 Odd'),
    'status-0': status('0 Zero'),
    'informed-for-ever': { begun: Buffer.alloc(250_000, 'HTTP/1.1 100 Continue\r\n\r\n') },
    switching: status('101 Switching Protocols', ['upgrade: h2c', 'connection: upgrade']),
    empty: whole(ok(['content-length: 0'])),
    page: whole(ok(['content-type: text/html', 'content-length: 6'], '<html>')),
    '204': whole(withStatus('204 No Content', [])),
    '206': whole(withStatus('206 Partial Content', ['content-length: 3'], 'abc')),
    '304': whole(withStatus('304 Not Modified', [])),
    '300': status('300 Multiple Choices'),
    '400': status('400 Bad Request'),
    '401': status('401 Unauthorized', ['www-authenticate: Basic']),
    '403': status('403 Forbidden'),
    '404': status('404 Not Found'),
    '407': status('407 Proxy Authentication Required'),
    '410': status('410 Gone'),
    '418': status('418 I am a teapot'),
    '429': status('429 Too Many Requests', ['retry-after: 999999999999']),
    '500': status('500 Internal Server Error'),
    '503': status('503 Service Unavailable', ['retry-after: -1']),
    'redirected-to-itself': to('/redirected-to-itself'),
    'redirected-to-a-file': to('file:///etc/passwd'),
    'redirected-to-metadata': to('http://169.254.169.254/latest/meta-data/'),
    'redirected-nowhere': to('http://'),
    'redirected-to-noise': to('\x01\xff%zz'),
    'redirected-without-location': status('302 Found'),
    'redirected-to-1-mb': to(`/${'x'.repeat(10_000)}`),
    close: 'close',
    never: 'never',
    'head-alone': { begun: raw('HTTP/1.1 200 OK\r\n') },
    'body-begun': { begun: ok([length], picture.subarray(0, 10)) },
    trickle: { trickle: ok(['content-length: 100000'], Buffer.alloc(500)) },
    'trickled-head': { trickle: raw(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(500)}`) },
  };
}

/** Those with an image. */
export const SOUND_ANSWERS: readonly string[] = ['whole', 'until-closed', 'chunked'];
/** All others. */
export const ODD_ANSWERS: readonly string[] = Object.keys(hostileAnswers(Buffer.alloc(200))).filter(
  (name) => !SOUND_ANSWERS.includes(name),
);
