import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { AppError, messageOf, type ErrorCode } from '../errors.ts';
import { tooLarge, unavailable } from './fetch-faults.ts';
import type { ImageFetcher } from './image-fetcher.ts';

export interface FileFetcherOptions {
  /** The folder below which files are served; symbolic links that lead out of it are refused. */
  root: string;
  /** The most bytes of one image. Enforced while reading, so a file that grows is caught as well. */
  maxBytes: number;
  /** Where tests make a disk fail. @default node:fs/promises */
  disk?: Pick<typeof fs, 'realpath' | 'open'>;
}

/**
 * What a failing system call says of the image. Any other errno (EIO, EMFILE, ESTALE, ENOTCONN, …)
 * says something of the store, and an image is never judged by the state of its store.
 */
const FAULTS_OF_THE_REFERENCE: Partial<Record<string, { code: ErrorCode; why: string }>> = {
  ENOENT: { code: 'image_not_found', why: 'no such file' },
  ENOTDIR: { code: 'image_not_found', why: 'a part of the path is not a folder' },
  ELOOP: { code: 'image_not_found', why: 'its symbolic links go in circles' },
  // Of one file: a root that cannot be read at all is told by the check at the start.
  EACCES: { code: 'image_forbidden', why: 'permission denied' },
  EPERM: { code: 'image_forbidden', why: 'permission denied' },
  ENAMETOOLONG: { code: 'image_uri_invalid', why: 'the name is too long' },
};

/** Serves `file://` references below one folder. */
export function createFileFetcher(options: FileFetcherOptions): ImageFetcher {
  const { root, maxBytes, disk = fs } = options;
  return {
    schemes: ['file'],
    fetch: async (uri, signal) => {
      signal?.throwIfAborted();
      const path = pathOf(uri);
      const file = await locate(disk, uri, path, resolve(root));
      return await read(disk, uri, file, maxBytes, signal);
    },
  };
}

function pathOf(uri: string): string {
  if (!URL.canParse(uri)) {
    throw new AppError('image_uri_invalid', `fetching image ${uri}: not a URI`);
  }
  const url = new URL(uri);
  if (url.protocol !== 'file:') {
    throw new AppError(
      'image_scheme_unsupported',
      `fetching image ${uri}: only file:// references are served here`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new AppError(
      'image_uri_invalid',
      `fetching image ${uri}: write ? and # of a file's name as %3F and %23`,
    );
  }
  try {
    const path = fileURLToPath(url);
    if (!path.includes('\0')) return path;
  } catch (cause) {
    throw new AppError('image_uri_invalid', `fetching image ${uri}: ${messageOf(cause)}`, {
      cause,
    });
  }
  throw new AppError('image_uri_invalid', `fetching image ${uri}: the path holds a NUL`);
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The real path of the file, once it is sure to lie below the real root. */
async function locate(
  disk: Pick<typeof fs, 'realpath'>,
  uri: string,
  path: string,
  root: string,
): Promise<string> {
  const realRoot = await disk.realpath(root).catch((cause: unknown) => {
    const why = `the image root ${root} cannot be reached (${messageOf(cause)}); is it mounted?`;
    throw unavailable(uri, why, cause);
  });
  // Before the disk is asked: whether a file outside exists is nobody's business.
  if (!isBelow(root, path) && !isBelow(realRoot, path)) throw outside(uri, root);
  const file = await disk.realpath(path).catch((error: unknown) => {
    throw faultOf(uri, error);
  });
  if (!isBelow(realRoot, file)) throw outside(uri, root);
  return file;
}

function outside(uri: string, root: string): AppError {
  return new AppError(
    'image_outside_root',
    `fetching image ${uri}: it lies outside the image root ${root}`,
  );
}

async function read(
  disk: Pick<typeof fs, 'open'>,
  uri: string,
  file: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  try {
    // NONBLOCK: opening a FIFO must not wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
    await using handle = await disk.open(file, flags);
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw new AppError('image_not_found', `fetching image ${uri}: not a regular file`);
    }
    if (stat.size > maxBytes) throw tooLarge(uri, maxBytes);
    let buffer = Buffer.allocUnsafe(stat.size + 1);
    let length = 0;
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > maxBytes) throw tooLarge(uri, maxBytes);
      if (length === buffer.length) {
        buffer = Buffer.concat([buffer], Math.min(length * 2, maxBytes + 1));
      }
    }
    if (length === 0) throw new AppError('image_empty', `fetching image ${uri}: the file is empty`);
    return buffer.subarray(0, length);
  } catch (error) {
    throw faultOf(uri, error);
  }
}

/** The coded form of a failed system call; anything else comes back as it is. */
function faultOf(uri: string, error: unknown): unknown {
  if (error instanceof AppError || !isErrno(error)) return error;
  const { code, why } = FAULTS_OF_THE_REFERENCE[error.code] ?? {
    code: 'image_store_unavailable',
    why: error.message,
  };
  return new AppError(code, `fetching image ${uri}: ${why}`, { cause: error });
}

/** By its shape: the error may come from another realm. */
function isErrno(error: unknown): error is Error & { code: string } {
  return typeof error === 'object' && error !== null && 'errno' in error && 'code' in error;
}
