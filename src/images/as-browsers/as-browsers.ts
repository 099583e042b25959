import type { ImageFormat } from '../sniff-format.ts';
import { avifAsBrowsers } from './avif.ts';
import { readApng, type Apng } from './apng.ts';
import type { Codec } from './codec.ts';
import { gifAsBrowsers } from './gif.ts';
import { jpegAsBrowsers } from './jpeg.ts';
import { pngAsBrowsers } from './png.ts';
import { webpAsBrowsers } from './webp.ts';

/** An image as the native library is to be given it. */
export interface BrowserImage {
  bytes: Buffer;
  /** Frames behind the last one that are not part of the picture. @default 0 */
  added?: number;
  /** In place of the bytes: frames that the native library does not read. */
  animation?: Apng;
}

/**
 * Bytes that mean to the native library what the image means to a browser: what both read alike stays as it is, and
 * the rest is rewritten. Bytes that are not sound stay as they are too, for the native decoder to judge.
 */
export async function asBrowsersShow(
  bytes: Buffer,
  format: ImageFormat,
  codec: Codec,
): Promise<BrowserImage> {
  switch (format) {
    case 'jpeg':
      return { bytes: await jpegAsBrowsers(bytes, codec) };
    case 'png': {
      const animation = readApng(bytes, codec);
      if (animation !== null) return { bytes, animation };
      return { bytes: await pngAsBrowsers(bytes, codec) };
    }
    case 'webp':
      return { bytes: webpAsBrowsers(bytes) };
    case 'gif':
      return gifAsBrowsers(bytes);
    case 'avif':
      return { bytes: avifAsBrowsers(bytes) };
    case 'tiff':
      return { bytes };
  }
}
