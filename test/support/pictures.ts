import { crc32 } from 'node:zlib';

import { parityImage } from './tiny-clip.ts';

export { parityImage } from './tiny-clip.ts';

/** The fixtures as they would arrive when the sender broke off: the first `share` of the bytes. */
export function cut(bytes: Buffer, share: number): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length * share));
}

/** A bit flipped at a share of the way through. */
export function flipped(bytes: Buffer, share: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(bytes.length * share);
  copy.writeUInt8((copy[at] ?? 0) ^ 0x10, at);
  return copy;
}

/** A PNG whose header promises `width` × `height` pixels. */
export function pngPromising(width: number, height: number): Buffer {
  const png = Buffer.from(parityImage('palette.png'));
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}
