import type { PreprocessSpec } from '../images/image-decoder.ts';

/** Turns pixels into the numbers the vision tower takes, in one buffer that is used again and again. */
export interface PixelTensor {
  /**
   * `bytes` holds `count` images, `[count, height, width, 3]`; the answer is `[count, 3, height, width]`,
   * normalised, and valid until the next call.
   */
  fill(bytes: Uint8Array, count: number): Float32Array;
}

export function createPixelTensor(spec: PreprocessSpec, batchSize: number): PixelTensor {
  // A byte has 256 values: normalising is a look-up, not arithmetic.
  const [red, green, blue] = [0, 1, 2].map((channel) => channelTable(spec, channel)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const plane = spec.width * spec.height;
  let buffer = new Float32Array(batchSize * plane * 3);

  return {
    fill: (bytes, count) => {
      const size = count * plane * 3;
      if (buffer.length < size) buffer = new Float32Array(size);
      const out = buffer;
      for (let image = 0; image < count; image++) {
        let from = image * plane * 3;
        const start = from;
        for (let at = 0; at < plane; at++) {
          // eslint-disable-next-line @typescript-eslint/no-non-null-assertion -- a byte is always in the table
          out[start + at] = red[bytes[from]!]!;
          // eslint-disable-next-line @typescript-eslint/no-non-null-assertion -- as above
          out[start + plane + at] = green[bytes[from + 1]!]!;
          // eslint-disable-next-line @typescript-eslint/no-non-null-assertion -- as above
          out[start + 2 * plane + at] = blue[bytes[from + 2]!]!;
          from += 3;
        }
      }
      return out.subarray(0, size);
    },
  };
}

function channelTable(spec: PreprocessSpec, channel: number): Float32Array {
  const mean = spec.mean[channel] ?? 0;
  const std = spec.std[channel] ?? 1;
  return Float32Array.from({ length: 256 }, (_, byte) => (byte * spec.rescale - mean) / std);
}
