import type { ImageFormat } from '../sniff-format.ts';
import type { Codec } from './codec.ts';
import { jpegAsBrowsers } from './jpeg.ts';
import { pngAsBrowsers } from './png.ts';
import { webpAsBrowsers } from './webp.ts';

/**
 * Bytes that mean to the native library what the image means to a browser: what both read alike stays as it is, and
 * the rest is rewritten. Bytes that are not sound stay as they are too, for the native decoder to judge.
 */
export async function asBrowsersShow(
  bytes: Buffer,
  format: ImageFormat,
  codec: Codec,
): Promise<Buffer> {
  switch (format) {
    case 'jpeg':
      return await jpegAsBrowsers(bytes, codec);
    case 'png':
      return await pngAsBrowsers(bytes, codec);
    case 'webp':
      return webpAsBrowsers(bytes);
    case 'gif':
    case 'avif':
    case 'tiff':
      return bytes;
  }
}
