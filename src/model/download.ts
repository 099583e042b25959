import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemClock, type Clock } from '../clock.ts';
import { AppError, messageOf } from '../errors.ts';
import { hashFile } from './model-files.ts';

export interface DownloadOptions {
  url: string;
  /** Where the finished file goes; until then the bytes lie in `<to>.partial`. */
  to: string;
  /** What the content must be; absent where nobody knows it yet. */
  sha256?: string | undefined;
  /** Called as bytes arrive; `total` is null while the server does not say. */
  onProgress?: (done: number, total: number | null) => void;
  signal?: AbortSignal;
  /** Tries in a row that bring nothing before giving up. @default 5 */
  attempts?: number;
  /** Silence after which a connection counts as dead, in ms. @default 30000 */
  stallTimeoutMs?: number;
  /** Wait before the second try, in ms; doubled for each further one. @default 500 */
  backoffMs?: number;
  clock?: Clock;
}

export interface Downloaded {
  bytes: number;
  sha256: string;
}

/** A fault that another try may get past. */
class Interrupted extends Error {}

/**
 * Downloads a file so that it is there whole and verified or not at all. An interrupted download goes on
 * where it stopped, in this call or a later one, as long as the server still serves the same content
 * (RFC 9110: Range with If-Range); redirects are followed.
 *
 * Throws AppError `model_download_failed`, `model_corrupt` when the content is not what `sha256` says, or
 * `aborted`.
 */
export async function downloadFile(options: DownloadOptions): Promise<Downloaded> {
  const { url, to, sha256, attempts = 5, backoffMs = 500, clock = systemClock, signal } = options;
  await mkdir(dirname(to), { recursive: true });
  let resumed = (await sizeOf(partialOf(to))) > 0;
  let failures = 0;
  for (;;) {
    const before = await sizeOf(partialOf(to));
    try {
      await transfer(options);
      const downloaded = await hashFile(partialOf(to));
      if (sha256 === undefined || downloaded.sha256 === sha256) {
        await rename(partialOf(to), to);
        await rm(stateOf(to), { force: true });
        return downloaded;
      }
      await discard(to);
      // What was resumed may have been spoilt by an earlier run; one clean try tells.
      if (!resumed) throw corrupt(url, sha256, downloaded);
      resumed = false;
    } catch (cause) {
      if (signal?.aborted) {
        throw new AppError(
          'aborted',
          `downloading ${url}: stopped; the next try goes on from here`,
          {
            cause,
          },
        );
      }
      if (!(cause instanceof Interrupted)) throw cause;
      // A try that moved on is not a failure: a long file over a bad line gets there in the end.
      failures = (await sizeOf(partialOf(to))) > before ? 1 : failures + 1;
      if (failures >= attempts) {
        throw new AppError(
          'model_download_failed',
          `downloading ${url}: gave up after ${attempts} tries: ${cause.message}. Run the command again; it goes on where it stopped.`,
          { cause },
        );
      }
      resumed ||= (await sizeOf(partialOf(to))) > 0;
      await clock.sleep(backoffMs * 2 ** (failures - 1), signal);
    }
  }
}

/** One connection: appends to the partial file, or begins it anew. */
async function transfer(options: DownloadOptions): Promise<void> {
  const { url, to, onProgress, signal, stallTimeoutMs = 30_000 } = options;
  const start = await resumePoint(to, url);
  const stalled = new AbortController();
  const watchdog = (): NodeJS.Timeout =>
    setTimeout(() => {
      stalled.abort(new Interrupted(`nothing came for ${stallTimeoutMs} ms`));
    }, stallTimeoutMs);
  let timer = watchdog();
  try {
    const response = await fetch(url, {
      headers: {
        // A compressed body has other offsets than the file.
        'accept-encoding': 'identity',
        ...(start && { range: `bytes=${start.offset}-`, 'if-range': start.validator }),
      },
      signal: AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]),
    });
    const offset = await accept(response, url, to, start?.offset ?? 0);
    const total = lengthOf(response, offset);
    await rememberValidator(to, url, response);
    const file = await open(partialOf(to), offset > 0 ? 'a' : 'w');
    try {
      let done = offset;
      for await (const chunk of bodyOf(response)) {
        clearTimeout(timer);
        timer = watchdog();
        await file.write(chunk);
        done += chunk.length;
        onProgress?.(done, total);
      }
      if (total !== null && done !== total) throw new Interrupted(`got ${done} of ${total} bytes`);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof AppError || cause instanceof Interrupted) throw cause;
    if (isLocal(cause)) {
      throw new AppError(
        'model_download_failed',
        `downloading ${url}: writing ${to}: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    }
    const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new Interrupted(messageOf(inner), { cause });
  } finally {
    clearTimeout(timer);
  }
}

function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  // Node's streams iterate; the DOM's declaration of them does not say so.
  return response.body as unknown as AsyncIterable<Uint8Array>;
}

/** Where the body begins in the file. Throws for an answer that has no usable body. */
async function accept(
  response: Response,
  url: string,
  to: string,
  offset: number,
): Promise<number> {
  const { status } = response;
  if (status === 200) return 0;
  if (status === 206) {
    const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
    if (range && Number(range[1]) === offset) return offset;
    await discard(to);
    throw new Interrupted('the server sent another part than asked for');
  }
  await response.body?.cancel();
  if (status === 416) {
    await discard(to);
    throw new Interrupted('the server has less than was already here');
  }
  const what = `the server answered ${status} ${response.statusText}`.trimEnd();
  if (status === 408 || status === 429 || status >= 500) throw new Interrupted(what);
  throw new AppError(
    'model_download_failed',
    `downloading ${url}: ${what}${status === 404 ? '; the repository, the revision or the file does not exist there' : ''}`,
  );
}

function lengthOf(response: Response, offset: number): number | null {
  const length = response.headers.get('content-length');
  return length === null ? null : offset + Number(length);
}

/** What tells the server which content the partial file is a part of; null: begin anew. */
async function resumePoint(
  to: string,
  url: string,
): Promise<{ offset: number; validator: string } | null> {
  const offset = await sizeOf(partialOf(to));
  if (offset === 0) return null;
  const state = await readFile(stateOf(to), 'utf8').catch(() => '');
  const [savedUrl, validator] = state.split('\n');
  return savedUrl === url && validator ? { offset, validator } : null;
}

async function rememberValidator(to: string, url: string, response: Response): Promise<void> {
  const etag = response.headers.get('etag');
  // A weak one does not promise equal bytes.
  const strong = etag !== null && !etag.startsWith('W/') ? etag : null;
  const validator = strong ?? response.headers.get('last-modified') ?? '';
  await writeFile(stateOf(to), `${url}\n${validator}\n`);
}

function corrupt(url: string, expected: string, got: Downloaded): AppError {
  return new AppError(
    'model_corrupt',
    `downloading ${url}: got ${got.bytes} bytes with SHA-256 ${got.sha256}, expected ${expected}; nothing was kept. ` +
      'A proxy or mirror may have changed the file.',
  );
}

async function discard(to: string): Promise<void> {
  await rm(partialOf(to), { force: true });
  await rm(stateOf(to), { force: true });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function isLocal(error: unknown): boolean {
  return ['ENOSPC', 'EACCES', 'EROFS', 'EDQUOT', 'EISDIR'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

const partialOf = (to: string): string => `${to}.partial`;
const stateOf = (to: string): string => `${to}.partial.etag`;
