import { pdqHash, pdqHex } from '../hashes/pdq.ts';
import type { Pixels } from './image-decoder.ts';

/** An image is brought within this many pixels each way before it is hashed, as PDQ's reference does. */
export const HASHED_EDGE = 512;

export interface ImageFingerprint {
  /** The PDQ hash, 64 lower-case hexadecimal digits. */
  hash: string;
  /** 0 (featureless) to 100. */
  quality: number;
  /** As sniffed from the bytes. */
  format: string;
  /** Size as shown, in pixels. */
  width: number;
  height: number;
}

/** The PDQ hash of RGB pixels, by their luma (ITU-R BT.601), not rounded to bytes. */
export function fingerprintOf({ data, width, height }: Pixels): { hash: string; quality: number } {
  const luma = new Float32Array(width * height);
  for (let to = 0, from = 0; to < luma.length; to++, from += 3) {
    const [red, green, blue] = [data[from], data[from + 1], data[from + 2]] as [
      number,
      number,
      number,
    ];
    luma[to] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  const { hash, quality } = pdqHash(luma, width, height);
  return { hash: pdqHex(hash), quality };
}
