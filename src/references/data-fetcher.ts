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
 * Serves `data:` references as fetch() does: https://fetch.spec.whatwg.org/#data-url-processor. The image is in the
 * reference itself, in base64 or percent-encoded; the stated media type is ignored. Throws AppError
 * `image_uri_invalid`, `image_empty` or `image_too_large`.
 */
export function createDataFetcher({ maxBytes }: DataFetcherOptions): ImageFetcher {
  const schemes = ['data'];
  return {
    schemes,
    probe: (dependency, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        resolve(dependency.startsWith('data:'));
      }),
    fetch: (uri, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        resolve(decode(uri, parseReference(uri, schemes), maxBytes));
      }),
  };
}

function decode(uri: string, url: URL, maxBytes: number): Buffer {
  url.hash = '';
  const { pathname, search } = url;
  // As in the href: the first ? of the data begins what the parser calls a query.
  const written = pathname + search;
  const comma = written.indexOf(',');
  if (comma < 0) throw invalid(uri, 'there is no comma before its data');
  const data = written.slice(comma + 1);
  const isBase64 = /; *base64$/i.test(written.slice(0, comma).replace(ASCII_SPACE_AT_END, ''));
  const text = isBase64 ? unpadded(percentDecode(data)) : data;
  const length = isBase64 ? Math.floor((text.length * 3) / 4) : encodedLength(data);
  if (length > maxBytes) throw tooLarge(nameOf(uri), maxBytes);
  const bytes = isBase64 ? fromBase64(uri, text) : Buffer.from(percentDecode(text), 'latin1');
  if (bytes.length === 0) throw empty(nameOf(uri));
  return bytes;
}

const ASCII_SPACE_AT_END = /[\t\n\f\r ]+$/;
const ENCODED = /%([0-9a-f]{2})/gi;

/** Bytes: a % that begins nothing stands for itself. */
function encodedLength(data: string): number {
  let length = data.length;
  for (let at = data.indexOf('%'); at >= 0; at = data.indexOf('%', at + 1)) {
    if (/^[0-9a-f]{2}$/i.test(data.slice(at + 1, at + 3))) length -= 2;
  }
  return length;
}

/** As Latin-1: one character a byte. */
function percentDecode(data: string): string {
  return data.replaceAll(ENCODED, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** https://infra.spec.whatwg.org/#forgiving-base64-decode, its first two steps. */
function unpadded(text: string): string {
  const dense = text.replaceAll(/[\t\n\f\r ]+/g, '');
  return dense.length % 4 === 0 ? dense.replace(/={1,2}$/, '') : dense;
}

/** The other steps of forgiving-base64 decode. */
function fromBase64(uri: string, text: string): Buffer {
  if (text.length % 4 === 1 || /[^a-z0-9+/]/i.test(text)) {
    throw invalid(uri, 'its data is no base64');
  }
  return Buffer.from(text, 'base64');
}

function invalid(uri: string, why: string): AppError {
  return new AppError('image_uri_invalid', `fetching image ${nameOf(uri)}: ${why}`);
}
