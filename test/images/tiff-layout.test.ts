import { afterAll, describe, expect, it, jest } from '@jest/globals';

import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import { DEFAULT_VIEWS } from '../../src/images/image-decoder.ts';
import { firstView } from '../support/decoded-image.ts';
import { clipSpec } from '../support/tiny-clip.ts';

jest.setTimeout(60_000);

const EDGE = 16;
const decoder = createDecoderPool({
  preprocess: { ...clipSpec, mode: 'squash', width: EDGE, height: EDGE },
  processes: 1,
  formats: ['tiff'],
  timeoutMs: 20_000,
  memoryBytes: 2 ** 30,
  maxPixels: 1_000_000,
  maxEdge: 65_535,
  maxFrames: 10,
  views: { ...DEFAULT_VIEWS, looks: 'single', sampledFrames: 1 },
});
afterAll(() => decoder.close());

interface Layout {
  photometric: number;
  bits: 8 | 16;
  /** Meaning of each channel beside the colours: 0 none, 2 alpha. */
  extra?: number[];
}

/** An uncompressed TIFF (6.0, section 2) of EDGE × EDGE pixels, each with the levels that `paint` gives. */
function tiff(
  { photometric, bits, extra = [] }: Layout,
  paint: (x: number, y: number) => number[],
) {
  const pixels = Array.from({ length: EDGE * EDGE }, (_, at) =>
    paint(at % EDGE, Math.trunc(at / EDGE)),
  );
  const samples = pixels[0]?.length ?? 0;
  const data = Buffer.alloc((EDGE * EDGE * samples * bits) / 8);
  pixels.flat().forEach((level, at) => {
    if (bits === 8) data.writeUInt8(level, at);
    else data.writeUInt16LE(level * 257, at * 2);
  });
  const shorts = (values: number[]): Buffer => Buffer.from(new Uint16Array(values).buffer);
  const fields: Array<[tag: number, type: number, value: number | Buffer]> = [
    [256, 3, EDGE],
    [257, 3, EDGE],
    [258, 3, shorts(Array<number>(samples).fill(bits))],
    [259, 3, 1],
    [262, 3, photometric],
    [273, 4, data],
    [277, 3, samples],
    [278, 3, EDGE],
    [279, 4, data.length],
    ...(extra.length > 0 ? ([[338, 3, shorts(extra)]] as Array<[number, number, Buffer]>) : []),
  ];
  const directory = Buffer.alloc(8 + 2 + fields.length * 12 + 4);
  directory.write('II*\0\x08\0\0\0', 'latin1');
  directory.writeUInt16LE(fields.length, 8);
  const parts: Buffer[] = [directory];
  fields.forEach(([tag, type, value], index) => {
    const at = 10 + index * 12;
    const count = typeof value === 'number' || tag === 273 ? 1 : value.length / 2;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count, at + 4);
    if (typeof value === 'number') directory.writeUInt32LE(value, at + 8);
    else if (value.length <= 4) value.copy(directory, at + 8);
    else {
      directory.writeUInt32LE(Buffer.concat(parts).length, at + 8);
      parts.push(value);
    }
  });
  return Buffer.concat(parts);
}

const rgb = (x: number, y: number): number[] => [x * 16, y * 16, 128];
const cmyk = (x: number, y: number): number[] => [x * 16, y * 16, 64, 32];
const inked = (x: number, y: number): number[] =>
  cmyk(x, y)
    .slice(0, 3)
    .map((ink) => Math.round(((255 - ink) * (255 - 32)) / 255));
const grey = (x: number): number[] => [x * 16];

describe('a TIFF is decoded', () => {
  it.each<[string, Layout, typeof rgb, typeof rgb]>([
    ['of RGB', { photometric: 2, bits: 8 }, rgb, rgb],
    ['of RGB with 16 bits', { photometric: 2, bits: 16 }, rgb, rgb],
    [
      'of RGB with alpha',
      { photometric: 2, bits: 8, extra: [2] },
      (x, y) => [...rgb(x, y), 255],
      rgb,
    ],
    ['of grey', { photometric: 1, bits: 8 }, grey, (x) => Array<number>(3).fill(x * 16)],
    ['of CMYK', { photometric: 5, bits: 8 }, cmyk, inked],
  ])('to what it shows: %s', async (_, layout, paint, shown) => {
    const { data } = firstView(await decoder.decode(tiff(layout, paint))).pixels;
    data.forEach((level, at) => {
      const pixel = Math.trunc(at / 3);
      const wanted = shown(pixel % EDGE, Math.trunc(pixel / EDGE))[at % 3] ?? NaN;
      expect(Math.abs(level - wanted)).toBeLessThanOrEqual(1);
    });
  });
});

describe('a TIFF of which noise would be made', () => {
  it.each<[string, string, Layout, typeof rgb]>([
    [
      'of RGB with two extra channels',
      '5 channels of srgb, uchar',
      { photometric: 2, bits: 8, extra: [0, 0] },
      (x, y) => [...rgb(x, y), x * y, 7],
    ],
    [
      'of RGB with alpha and more',
      '5 channels of srgb, uchar',
      { photometric: 2, bits: 8, extra: [2, 0] },
      (x, y) => [...rgb(x, y), 255, 7],
    ],
    [
      'of RGB with 16 bits and two extra channels',
      '5 channels of rgb16, ushort',
      { photometric: 2, bits: 16, extra: [0, 0] },
      (x, y) => [...rgb(x, y), x * y, 7],
    ],
    [
      'of grey with two extra channels',
      '3 channels of b-w, uchar',
      { photometric: 1, bits: 8, extra: [0, 0] },
      (x, y) => [x * 16, y, 9],
    ],
    ['of CMYK with 16 bits', '4 channels of cmyk, ushort', { photometric: 5, bits: 16 }, cmyk],
    [
      'of CMYK with an extra channel',
      '5 channels of cmyk, uchar',
      { photometric: 5, bits: 8, extra: [0] },
      (x, y) => [...cmyk(x, y), x * y],
    ],
  ])('is refused by name: %s', async (_, name, layout, paint) => {
    await expect(decoder.decode(tiff(layout, paint))).rejects.toMatchObject({
      code: 'image_format_unsupported',
      message: `decoding an image: a tiff of ${name}`,
    });
  });
});
