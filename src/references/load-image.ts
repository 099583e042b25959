import { hash } from 'node:crypto';

import { AppError } from '../errors.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import { nameOf } from './reference-name.ts';

/** Where an image is: its bytes, or a reference to them. */
export interface ImageLocation {
  bytes: Buffer | null;
  uri: string | null;
  /** Lower-case hex of the encoded image; verified when given. */
  sha256: string | null;
}

export interface LoadImageOptions {
  fetcher: ImageFetcher;
  /** The most bytes of an encoded image, inline or fetched. */
  maxBytes: number;
  signal?: AbortSignal;
}

export interface LoadedImage {
  bytes: Buffer;
  /** Lower-case hex. */
  sha256: string;
}

/**
 * The encoded bytes of an image, inline or by reference, and their SHA-256. Throws what the fetcher
 * throws, and `image_empty`, `image_too_large` or `image_hash_mismatch`.
 */
export async function loadImage(
  location: ImageLocation,
  options: LoadImageOptions,
): Promise<LoadedImage> {
  const { fetcher, maxBytes, signal } = options;
  const name =
    location.bytes === null ? `image ${nameOf(location.uri ?? '(none)')}` : 'the inline image';
  const bytes = location.bytes ?? (await fetch(location.uri, fetcher, signal));
  if (bytes.length === 0) {
    throw new AppError('image_empty', `loading ${name}: it has no bytes`);
  }
  if (bytes.length > maxBytes) {
    throw new AppError(
      'image_too_large',
      `loading ${name}: ${bytes.length} bytes are more than the limit of ${maxBytes}`,
    );
  }
  const sha256 = hash('sha256', bytes);
  if (location.sha256 !== null && location.sha256.toLowerCase() !== sha256) {
    throw new AppError(
      'image_hash_mismatch',
      `loading ${name}: its SHA-256 is ${sha256}, the event says ${location.sha256}`,
    );
  }
  return { bytes, sha256 };
}

async function fetch(
  uri: string | null,
  fetcher: ImageFetcher,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  if (uri === null) {
    throw new AppError('image_empty', 'loading an image: neither bytes nor a uri are given');
  }
  return await fetcher.fetch(uri, signal);
}
