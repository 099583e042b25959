import { createHash } from 'node:crypto';

import type { DecodedImage, ImageDecoder } from '../../src/images/image-decoder.ts';
import { aDecodedImage } from './decoded-image.ts';

/**
 * A decoder without a native library: the pixels are a grey made of the bytes' SHA-256, the same for the
 * same bytes. `faults` maps the bytes, as text, to the error they cause.
 */
export function createMemoryDecoder(
  options: { width?: number; height?: number; faults?: ReadonlyMap<string, Error> } = {},
): ImageDecoder {
  const { width = 4, height = 4, faults } = options;
  const decode = (bytes: Buffer): DecodedImage => {
    const fault = faults?.get(bytes.toString());
    if (fault !== undefined) throw fault;
    const [grey = 0] = createHash('sha256').update(bytes).digest();
    const pixels = { data: new Uint8Array(width * height * 3).fill(grey), width, height };
    return aDecodedImage(pixels, { width: 640, height: 480 });
  };
  return {
    decode: (bytes) => Promise.resolve(bytes).then(decode),
    close: () => Promise.resolve(),
  };
}
