import { deflateSync } from 'node:zlib';
import { chunk, PNG_SIGNATURE } from '../../fuzz/corpus/png.ts';
import { HEIGHT, samples, WIDTH } from './picture.ts';

export { chunk } from '../../fuzz/corpus/png.ts';

/** PNG (third edition), section 11.2.1. */
export type ColourType = 0 | 2 | 3 | 4 | 6;
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

export interface PngOptions {
  colour: ColourType;
  depth?: 1 | 2 | 4 | 8 | 16;
  interlaced?: boolean;
  /** Between IHDR and PLTE. */
  early?: Buffer[];
  /** Between PLTE and IDAT. */
  before?: Buffer[];
  after?: Buffer[];
  /** Hides or shows another part of the picture. */
  turnedBy?: number;
  /** The size of the part of the picture, from its top left corner, that is stored. */
  width?: number;
  height?: number;
  /** What becomes of the compressed rows; undefined: one IDAT. */
  data?: (compressed: Buffer) => Buffer[];
}

export function png(options: PngOptions): Buffer {
  const { colour, depth = 8, early = [], before = [], after = [] } = options;
  const data = options.data ?? ((compressed) => [chunk('IDAT', compressed)]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([depth, colour, 0, 0, Number(options.interlaced ?? false)], 8);
  return Buffer.concat([
    PNG_SIGNATURE,
    chunk('IHDR', header),
    ...early,
    ...(colour === 3 ? [chunk('PLTE', palette(depth))] : []),
    ...before,
    ...data(compressed(options)),
    ...after,
    chunk('IEND'),
  ]);
}

export function compressed(options: PngOptions): Buffer {
  const { colour, depth = 8, interlaced = false, turnedBy } = options;
  const { width = WIDTH, height = HEIGHT } = options;
  const channels = CHANNELS[colour];
  const values = colour === 3 ? indexes(depth, turnedBy) : levels(channels, depth, turnedBy);
  const passes = interlaced ? ADAM7 : [[0, 0, 1, 1] as const];
  const rows = passes.flatMap(([left, top, across, down]) => {
    const ys = range(top, height, down);
    const xs = range(left, width, across);
    return ys.map((y) =>
      packed(
        xs.flatMap((x) => values.slice((y * WIDTH + x) * channels, (y * WIDTH + x + 1) * channels)),
        depth,
      ),
    );
  });
  return deflateSync(Buffer.concat(rows));
}

/** Left, top, step across and down of each pass; PNG, section 8.2. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const range = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);

const levels = (channels: 1 | 2 | 3 | 4, depth: number, turnedBy?: number): number[] =>
  samples(channels, turnedBy).map((value) => Math.round(value * (2 ** depth - 1)));

/** A colour for each index, from dark to light and of many hues. */
function palette(depth: number): Buffer {
  const count = 2 ** depth;
  return Buffer.from(
    Array.from({ length: count }, (_, i) => [
      (255 * i) / (count - 1),
      127 + 127 * Math.sin(i * 0.7),
      255 - (200 * i) / count,
    ]).flat(),
  );
}

const indexes = (depth: number, turnedBy?: number): number[] => levels(1, depth, turnedBy);

/** A filter byte, then samples of `depth` bits. */
function packed(values: readonly number[], depth: number): Buffer {
  const row = Buffer.alloc(1 + Math.ceil((values.length * depth) / 8));
  values.forEach((value, i) => {
    if (depth === 16) row.writeUInt16BE(value, 1 + i * 2);
    else {
      const bit = i * depth;
      const at = 1 + (bit >> 3);
      row[at] = (row[at] as number) | (value << (8 - depth - (bit & 7)));
    }
  });
  return row;
}
