import { completeJpeg } from './complete-jpeg.ts';
import { completePng } from './complete-png.ts';
import { completeWebp } from './complete-webp.ts';
import type { ImageFormat } from './sniff-format.ts';

/**
 * Completes a damaged file where the native decoder gives up and browsers show what there is. What cannot be completed
 * is given back as it is: the decoder says what is wrong with it.
 */
export async function complete(
  bytes: Buffer,
  format: ImageFormat,
  maxPixels: number,
): Promise<Buffer> {
  switch (format) {
    case 'jpeg':
      return completeJpeg(bytes);
    case 'png':
      return await completePng(bytes, maxPixels);
    case 'webp':
      return completeWebp(bytes);
    case 'gif':
    case 'avif':
    case 'tiff':
      return bytes;
  }
}
