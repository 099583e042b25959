import { AppError, type ErrorCode } from '../errors.ts';
import { unavailable, unfetchable } from './fetch-faults.ts';
import type { LibraryFault } from './library-fault.ts';

interface Meaning {
  code: ErrorCode;
  why: string;
}

const AWAY = 'the store of the image root is in trouble';
const away: Meaning = { code: 'image_store_unavailable', why: AWAY };
const special: Meaning = { code: 'image_unfetchable', why: 'not a regular file' };
const forbidden: Meaning = { code: 'image_forbidden', why: 'permission denied' };
const broken: Meaning = { code: 'image_unfetchable', why: 'it cannot be read' };

/**
 * What a failed system call (errno(3)) says: of one file, or of the store. A code that is not here concerns one
 * file, for all that is known: `image_unfetchable`.
 */
const MEANINGS = new Map<string, Meaning>([
  ['ENOENT', { code: 'image_not_found', why: 'no such file' }],
  ['ENOTDIR', { code: 'image_not_found', why: 'a part of the path is not a folder' }],
  ['ELOOP', { code: 'image_not_found', why: 'its symbolic links go in circles' }],
  // An image root that cannot be read as a whole fails the check at the start.
  ['EACCES', forbidden],
  ['EPERM', forbidden],
  ['ENAMETOOLONG', { code: 'image_uri_invalid', why: 'the name is too long' }],
  ['EILSEQ', { code: 'image_uri_invalid', why: 'the file system has no such names' }],
  ['EISDIR', special],
  ['ENXIO', special], // a UNIX socket, or a device without a driver
  ['ENODEV', special],
  ['ENOTBLK', special],
  ['EOPNOTSUPP', special],
  ['EOVERFLOW', broken],
  ['EINVAL', broken],
  ['EBUSY', broken],
  ['ETXTBSY', broken],
  // The disk, or the network below a network file system
  ...[
    ...['EIO', 'ESTALE', 'EREMOTEIO', 'EUCLEAN', 'ENOTCONN', 'ENOLINK', 'ECOMM', 'EPROTO'],
    ...['ETIMEDOUT', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETUNREACH', 'ESHUTDOWN'],
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'EAGAIN', 'EINTR', 'ENOLCK'],
    ...['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'], // this machine
  ].map((errno) => [errno, away] as const),
]);

/** The coded form of a failed call of node:fs. `dependency`: the image root. */
export function fileFault(
  name: string,
  dependency: string,
  { code, cause }: LibraryFault,
): AppError {
  const meaning = MEANINGS.get(code) ?? broken;
  const why = `${meaning.why} (${code})`;
  if (meaning === away) return unavailable(name, { why, dependency, cause });
  if (meaning.code === 'image_unfetchable') return unfetchable(name, why, cause);
  return new AppError(meaning.code, `fetching image ${name}: ${meaning.why}`, { cause });
}
