import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { AppError, messageOf } from '../errors.ts';
import { empty, tooLarge, unavailable, unfetchable } from './fetch-faults.ts';
import { fileFault } from './file-faults.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import { fromLibrary, LibraryFault } from './library-fault.ts';
import { nameOf } from './reference-name.ts';

export interface FileFetcherOptions {
  /** The folder below which files are served; symbolic links that lead out of it are refused. */
  root: string;
  /** The most bytes of one image. Enforced while reading, so a file that grows is caught as well. */
  maxBytes: number;
  /** Where tests make a disk fail. @default node:fs/promises */
  disk?: Pick<typeof fs, 'realpath' | 'open'>;
}

const PROBE_TIMEOUT_MS = 5_000;
/** Attempts at a file that changes while it is read. */
const READINGS = 3;
const REREAD_AFTER_MS = 100;

/**
 * Serves `file://` references below one folder. Throws AppError `image_uri_invalid`, `image_scheme_unsupported`,
 * `image_outside_root`, `image_not_found`, `image_forbidden`, `image_unfetchable`, `image_empty`, `image_too_large`
 * or `image_store_unavailable`.
 */
export function createFileFetcher(options: FileFetcherOptions): ImageFetcher {
  const { maxBytes, disk = fs } = options;
  const root = resolve(options.root);
  const dependency = pathToFileURL(root).href;
  return {
    schemes: ['file'],
    fetch: async (uri, signal) => {
      signal?.throwIfAborted();
      const name = nameOf(uri);
      const path = pathOf(uri, name);
      try {
        const file = await locate(disk, { name, path, root, dependency });
        return await readUnchanged(disk, { name, file, maxBytes, signal });
      } catch (error) {
        throw error instanceof LibraryFault ? fileFault(name, dependency, error) : error;
      }
    },
    probe: async (asked, signal) => {
      signal?.throwIfAborted();
      if (asked !== dependency) return false;
      const answer = disk.realpath(root).then(
        () => true,
        () => false,
      );
      // A network file system that hangs cannot be aborted.
      const deadline = sleep(PROBE_TIMEOUT_MS, false, { ref: false });
      const found = await Promise.race([answer, deadline]);
      signal?.throwIfAborted();
      return found;
    },
  };
}

function pathOf(uri: string, name: string): string {
  if (!URL.canParse(uri)) {
    throw new AppError('image_uri_invalid', `fetching image ${name}: not a URI`);
  }
  const url = new URL(uri);
  if (url.protocol !== 'file:') {
    throw new AppError(
      'image_scheme_unsupported',
      `fetching image ${name}: only file:// references are served here`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new AppError(
      'image_uri_invalid',
      `fetching image ${name}: write ? and # of a file's name as %3F and %23`,
    );
  }
  try {
    const path = fileURLToPath(url);
    if (!path.includes('\0')) return path;
  } catch (cause) {
    throw new AppError('image_uri_invalid', `fetching image ${name}: ${messageOf(cause)}`, {
      cause,
    });
  }
  throw new AppError('image_uri_invalid', `fetching image ${name}: the path holds a NUL`);
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

interface Place {
  name: string;
  path: string;
  root: string;
  dependency: string;
}

/** The real path of the file, once it is sure to lie below the real root. */
async function locate(disk: Pick<typeof fs, 'realpath'>, place: Place): Promise<string> {
  const { name, path, root, dependency } = place;
  const realRoot = await disk.realpath(root).catch((cause: unknown) => {
    const why = `the image root ${root} cannot be reached (${messageOf(cause)}); is it mounted?`;
    throw unavailable(name, { why, dependency, cause });
  });
  // Before the disk is asked: whether a file outside exists must not show.
  if (!isBelow(root, path) && !isBelow(realRoot, path)) throw outside(name, root);
  const file = await fromLibrary(() => disk.realpath(path));
  if (!isBelow(realRoot, file)) throw outside(name, root);
  return file;
}

function outside(name: string, root: string): AppError {
  return new AppError(
    'image_outside_root',
    `fetching image ${name}: it lies outside the image root ${root}`,
  );
}

interface Reading {
  name: string;
  file: string;
  maxBytes: number;
  signal: AbortSignal | undefined;
}

/** The file's bytes, read again when it changes meanwhile, as it does while it is being written. */
async function readUnchanged(disk: Pick<typeof fs, 'open'>, reading: Reading): Promise<Buffer> {
  for (let attempt = 1; attempt <= READINGS; attempt += 1) {
    if (attempt > 1) await sleep(REREAD_AFTER_MS);
    const bytes = await read(disk, reading);
    if (bytes !== null) return bytes;
  }
  throw unfetchable(reading.name, 'the file keeps changing while it is read');
}

/** Null when the file changed meanwhile. */
async function read(disk: Pick<typeof fs, 'open'>, reading: Reading): Promise<Buffer | null> {
  const { name, file, maxBytes, signal } = reading;
  // NONBLOCK: opening a FIFO must not wait for a writer.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await fromLibrary(() => disk.open(file, flags));
  try {
    const before = await fromLibrary(() => handle.stat());
    if (!before.isFile()) {
      throw new AppError('image_not_found', `fetching image ${name}: not a regular file`);
    }
    if (before.size > maxBytes) throw tooLarge(name, maxBytes);
    let buffer = Buffer.allocUnsafe(before.size + 1);
    let length = 0;
    for (;;) {
      signal?.throwIfAborted();
      const [target, at] = [buffer, length];
      const { bytesRead } = await fromLibrary(() =>
        handle.read(target, at, target.length - at, at),
      );
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > maxBytes) throw tooLarge(name, maxBytes);
      if (length === buffer.length) {
        buffer = Buffer.concat([buffer], Math.min(length * 2, maxBytes + 1));
      }
    }
    const after = await fromLibrary(() => handle.stat());
    if (before.size !== after.size || before.mtimeMs !== after.mtimeMs) return null;
    if (length === 0) throw empty(name);
    return buffer.subarray(0, length);
  } finally {
    await handle.close().catch(() => undefined);
  }
}
