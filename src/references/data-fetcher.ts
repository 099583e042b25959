import { AppError } from '../errors.ts';
import { empty, tooLarge } from './fetch-faults.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import { parseReference } from './parse-reference.ts';
import { nameOf } from './reference-name.ts';

export interface DataFetcherOptions {
  /** The most bytes of one image; what is longer is not decoded. */
  maxBytes: number;
}

/**
 * Serves `data:` references (RFC 2397): the image is in the reference itself, in base64 or percent-encoded. The
 * media type that it states is not looked at. Throws AppError `image_uri_invalid`, `image_empty` or
 * `image_too_large`.
 */
export function createDataFetcher({ maxBytes }: DataFetcherOptions): ImageFetcher {
  const schemes = ['data'];
  return {
    schemes,
    fetch: (uri, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        parseReference(uri, schemes);
        resolve(decode(uri, maxBytes));
      }),
  };
}

function decode(uri: string, maxBytes: number): Buffer {
  const comma = uri.indexOf(',');
  if (comma < 0) throw invalid(uri, 'there is no comma before its data');
  const data = uri.slice(comma + 1);
  if (NOT_IN_A_URI.test(data)) throw invalid(uri, 'its data is not percent-encoded');
  const isBase64 = /;base64$/i.test(uri.slice(0, comma));
  const length = isBase64 ? base64Length(data) : encodedLength(data);
  if (length > maxBytes) throw tooLarge(nameOf(uri), maxBytes);
  if (length === 0) throw empty(nameOf(uri));
  const text = percentDecode(data);
  return isBase64 ? decodeBase64(uri, text) : Buffer.from(text, 'latin1');
}

/** What cannot stand in a URI's data as it is, and a % that begins nothing. */
const NOT_IN_A_URI = /[^!-~]|#|%(?![0-9a-f]{2})/i;

/** Characters, each %XX being one. */
function encodedLength(data: string): number {
  let length = data.length;
  for (let at = data.indexOf('%'); at >= 0; at = data.indexOf('%', at + 1)) length -= 2;
  return length;
}

/** Bytes, before anything is decoded. */
function base64Length(data: string): number {
  const padding = /(?:=|%3d){0,2}$/i.exec(data.slice(-6))?.[0] ?? '';
  return Math.floor(((encodedLength(data) - encodedLength(padding)) * 3) / 4);
}

/** As Latin-1: one character a byte. */
function percentDecode(data: string): string {
  return data.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function decodeBase64(uri: string, text: string): Buffer {
  const unpadded = text.replace(/={1,2}$/, '');
  if (unpadded.length % 4 === 1 || /[^a-z0-9+/]/i.test(unpadded)) {
    throw invalid(uri, 'its data is no base64');
  }
  return Buffer.from(unpadded, 'base64');
}

function invalid(uri: string, why: string): AppError {
  return new AppError('image_uri_invalid', `fetching image ${nameOf(uri)}: ${why}`);
}
