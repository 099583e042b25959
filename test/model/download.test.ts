import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import { downloadFile, type Downloaded, type DownloadOptions } from '../../src/model/download.ts';
import { removeFolder, temporaryFolder } from '../support/onnx-models.ts';

const CONTENT = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 31) & 255));
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Sends what the request's Range asks for. */
function send(response: ServerResponse, request: IncomingMessage, etag = '"v1"'): void {
  const from = rangeOf(request);
  const matches = request.headers['if-range'] === etag;
  const offset = from !== null && matches ? from : 0;
  if (offset > 0) response.setHeader('content-range', `bytes ${offset}-99999/100000`);
  response.writeHead(offset > 0 ? 206 : 200, { etag, 'content-length': 100_000 - offset });
  response.end(CONTENT.subarray(offset));
}

function rangeOf(request: IncomingMessage): number | null {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  return range ? Number(range[1]) : null;
}

/** Breaks off after the first `bytes` of a promised whole, once some of them are on the disk. */
const breakOff =
  (bytes: number, etag = '"v1"', content = CONTENT): Handler =>
  (_, response) => {
    response.writeHead(200, { etag, 'content-length': 100_000 });
    response.write(content.subarray(0, bytes));
    void somethingIsKept().then(() => response.destroy());
  };

/** A connection that breaks takes with it what its client had not read yet. */
async function somethingIsKept(): Promise<void> {
  for (;;) {
    const kept = await stat(`${target()}.partial`).catch(() => null);
    if (kept !== null && kept.size > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let folder: string;
let server: Server;
let requests: IncomingMessage[];
let handlers: Handler[];
let waits: number[];

const clock: Clock = {
  now: () => 0,
  elapsed: () => 0,
  sleep: (ms) => {
    waits.push(ms);
    return Promise.resolve();
  },
};

/** The server answers each request with the next handler, and with the last one from then on. */
async function serve(...answers: Handler[]): Promise<void> {
  handlers = answers;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

const target = (): string => join(folder, 'models', 'file.bin');
const url = (path = '/file.bin'): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const download = (options: Partial<DownloadOptions> = {}): Promise<Downloaded> =>
  downloadFile({ url: url(), to: target(), sha256: SHA256, clock, ...options });

beforeEach(async () => {
  folder = await temporaryFolder();
  requests = [];
  waits = [];
  server = createServer((request, response) => {
    requests.push(request);
    const handler = handlers[Math.min(requests.length, handlers.length) - 1];
    handler?.(request, response);
  });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await removeFolder(folder);
});

const whole: Handler = (request, response) => send(response, request);
const status =
  (code: number): Handler =>
  (_, response) =>
    response.writeHead(code).end('sorry');

describe('a download', () => {
  it('arrives whole, tells its progress and leaves nothing else behind', async () => {
    await serve(whole);
    const progress: [number, number | null][] = [];
    const done = await download({ onProgress: (...step) => progress.push(step) });
    expect(done).toEqual({ bytes: 100_000, sha256: SHA256 });
    expect(await readFile(target())).toEqual(CONTENT);
    expect(await readdir(join(folder, 'models'))).toEqual(['file.bin']);
    expect(progress.at(-1)).toEqual([100_000, 100_000]);
  });

  it('goes on where it was interrupted', async () => {
    await serve(breakOff(40_000), whole);
    await download();
    expect(await readFile(target())).toEqual(CONTENT);
    expect(rangeOf(requests[1] as IncomingMessage)).toBeGreaterThan(0);
  });

  it('goes on in a later run', async () => {
    await serve(breakOff(40_000), whole);
    await expect(download({ attempts: 1 })).rejects.toMatchObject({
      code: 'model_download_failed',
      message: expect.stringContaining('goes on where it stopped') as unknown,
    });
    await expect(readFile(target())).rejects.toThrow('ENOENT');
    await download();
    expect(requests[1]?.headers['if-range']).toBe('"v1"');
    expect(await readFile(target())).toEqual(CONTENT);
  });

  it('begins anew where the server ignores ranges', async () => {
    await serve(breakOff(40_000), (_, response) => {
      response.writeHead(200, { 'content-length': 100_000 }).end(CONTENT);
    });
    await download();
    expect(await readFile(target())).toEqual(CONTENT);
  });

  it('begins anew when the content changed in between', async () => {
    await serve(breakOff(40_000, '"old"'), (request, response) => send(response, request, '"new"'));
    await download();
    expect(requests[1]?.headers['if-range']).toBe('"old"');
    expect(await readFile(target())).toEqual(CONTENT);
  });

  it('does not go on from a weak validator, which promises no equal bytes', async () => {
    await serve(breakOff(40_000, 'W/"v1"'), whole);
    await download();
    expect(requests[1]?.headers.range).toBeUndefined();
  });

  it('does not trust another part than it asked for', async () => {
    await serve(
      breakOff(40_000),
      (_, response) => {
        response.setHeader('content-range', 'bytes 5-99999/100000');
        response.writeHead(206).end(CONTENT.subarray(5));
      },
      whole,
    );
    await download();
    expect(await readFile(target())).toEqual(CONTENT);
  });

  it('follows redirects', async () => {
    await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end(), whole);
    await download();
    expect(requests[1]?.url).toBe('/elsewhere');
    expect(await readFile(target())).toEqual(CONTENT);
  });
});

describe('a body that is not what was asked for', () => {
  const spoilt: Handler = (_, response) => {
    response.writeHead(200, { etag: '"v1"', 'content-length': 100_000 });
    response.end(Buffer.alloc(100_000, 1));
  };

  it('is corrupt, and nothing of it is kept', async () => {
    await serve(spoilt);
    await expect(download()).rejects.toMatchObject({
      code: 'model_corrupt',
      message: expect.stringContaining(`expected ${SHA256}`) as unknown,
    });
    expect(requests).toHaveLength(1);
    expect(await readdir(join(folder, 'models'))).toEqual([]);
  });

  it('gets one clean try when an interrupted run may have spoilt it', async () => {
    await serve(breakOff(40_000, '"v1"', Buffer.alloc(40_000, 1)), whole, whole);
    await download();
    expect(requests).toHaveLength(3);
    expect(await readFile(target())).toEqual(CONTENT);
  });
});

describe('a server in trouble', () => {
  it('is asked again after 5xx and 429, ever more slowly', async () => {
    await serve(status(503), status(429), status(500), whole);
    await download({ backoffMs: 100 });
    expect(waits).toEqual([100, 200, 400]);
    expect(await readFile(target())).toEqual(CONTENT);
  });

  it('is given up on after so many tries in a row', async () => {
    await serve(status(503));
    await expect(download({ attempts: 3 })).rejects.toMatchObject({
      code: 'model_download_failed',
      message: expect.stringContaining('gave up after 3 tries') as unknown,
    });
    expect(requests).toHaveLength(3);
  });

  it('is not asked again for what it does not have', async () => {
    await serve(status(404));
    await expect(download()).rejects.toMatchObject({
      code: 'model_download_failed',
      message: expect.stringContaining('404') as unknown,
    });
    expect(requests).toHaveLength(1);
  });

  it('is left when nothing comes for a while', async () => {
    await serve((_, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': 100_000 });
      response.write(CONTENT.subarray(0, 10));
    }, whole);
    await download({ stallTimeoutMs: 150 });
    expect(await readFile(target())).toEqual(CONTENT);
  });

  it('does not keep a caller who wants to stop', async () => {
    const stop = new AbortController();
    await serve((_, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': 100_000 });
      response.write(CONTENT.subarray(0, 10), () => stop.abort());
    });
    await expect(download({ signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
  });
});
