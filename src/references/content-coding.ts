import { pipeline, type Readable, type Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';

/** As browsers do, an end that is missing is overlooked: the framing of the answer says whether all of it came. */
const LENIENT_END = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };

const DECODERS = new Map<string, () => Transform>([
  ['gzip', () => createGunzip(LENIENT_END)],
  ['x-gzip', () => createGunzip(LENIENT_END)],
  ['deflate', () => createInflate(LENIENT_END)],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
]);

/** Codings that change nothing: RFC 9110, 8.4.1, and what uploads with the AWS SDK leave in an object's metadata. */
const NO_CODING = new Set(['', 'identity', 'aws-chunked']);

/** As in undici's fetch and curl. */
const MOST_CODINGS = 5;

/**
 * The names of the decoders for a Content-Encoding, the first to be undone first. As in fetch() and browsers, one
 * unknown coding means that the bytes are taken as they are. Null: more codings than are undone.
 */
export function codingsOf(contentEncoding: string): string[] | null {
  const codings = contentEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !NO_CODING.has(coding));
  if (!codings.every((coding) => DECODERS.has(coding))) return [];
  return codings.length > MOST_CODINGS ? null : codings.reverse();
}

/** `body` with `codings` undone. The reader bounds the result; an error of any stream destroys them all. */
export function undo(codings: readonly string[], body: Readable): Readable {
  return codings.reduce<Readable>((packed, coding) => {
    const decoder = DECODERS.get(coding)?.();
    return decoder === undefined ? packed : pipeline(packed, decoder, () => undefined);
  }, body);
}
