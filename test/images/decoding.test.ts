import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import sharp from 'sharp';

import { createDecoderPool, type DecoderPool } from '../../src/images/decoder-pool.ts';
import { geometryOf } from '../../src/images/geometry.ts';
import {
  DEFAULT_VIEWS,
  type PreprocessSpec,
  type ViewSettings,
} from '../../src/images/image-decoder.ts';
import { planResampling } from '../../src/images/resample.ts';
import { firstView } from '../support/decoded-image.ts';
import { flipped, pngPromising } from '../support/pictures.ts';
import { clipSpec, parityImage } from '../support/tiny-clip.ts';

jest.setTimeout(60_000);

const views: ViewSettings = { ...DEFAULT_VIEWS, looks: 'single' };
const ample = { memoryBytes: 2 ** 30, maxEdge: 65_535, maxFrames: 100, views };
const start = (preprocess: PreprocessSpec) =>
  createDecoderPool({
    preprocess,
    processes: 1,
    timeoutMs: 20_000,
    maxPixels: 1_000_000,
    ...ample,
  });

let decoder: DecoderPool;
const made: Record<string, Buffer> = {};

beforeAll(async () => {
  decoder = start({ ...clipSpec, resizeTo: 32, width: 32, height: 32 });
  const picture = () => sharp(parityImage('rgb.jpg')).resize(90, 60);
  made['jpeg'] = await picture().jpeg().toBuffer();
  made['progressive jpeg'] = await picture().jpeg({ progressive: true }).toBuffer();
  made['png'] = await picture().png().toBuffer();
  made['webp'] = await picture().webp().toBuffer();
  made['gif'] = await picture().gif().toBuffer();
  made['avif'] = await picture().avif({ effort: 0 }).toBuffer();
  made['tiff'] = await picture().tiff().toBuffer();
  // A colour each, so that no encoder joins them.
  const frames = Buffer.from(
    [200, 0, 0, 0, 200, 0, 0, 0, 200].flatMap((v) => Array<number>(1).fill(v)),
  );
  const strip = sharp(frames, { raw: { width: 1, height: 3, channels: 3 } })
    .resize(20, 60, { kernel: 'nearest', fit: 'fill' })
    .raw();
  const raw = { width: 20, height: 60, channels: 3, pageHeight: 20 } as const;
  const animation = await strip.toBuffer();
  made['animated gif'] = await sharp(animation, { raw }).gif().toBuffer();
  made['animated webp'] = await sharp(animation, { raw }).webp().toBuffer();
});
afterAll(() => decoder.close());

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../fixtures/images/${name}`, import.meta.url));

const FORMATS = ['jpeg', 'progressive jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'];
const imageOf = (name: string): Buffer => made[name] ?? parityImage(name);

describe('what is decoded', () => {
  it.each(FORMATS)('%s', async (name) => {
    const image = await decoder.decode(imageOf(name));
    expect(image).toMatchObject({
      format: name.split(' ').at(-1),
      width: 90,
      height: 60,
      frames: 1,
      views: [{ pixels: { width: 32, height: 32 } }],
    });
    expect(firstView(image).pixels.data).toHaveLength(32 * 32 * 3);
  });

  it.each(['animated gif', 'animated webp'])('the first frame of an %s', async (name) => {
    const image = await decoder.decode(imageOf(name));
    expect(image).toMatchObject({ frames: 3, width: 20, height: 20 });
    const { pixels } = firstView(image);
    const [red = 0, green = 255, blue = 255] = pixels.data;
    expect(red).toBeGreaterThan(150);
    expect(Math.max(green, blue)).toBeLessThan(60);
  });

  it('a JPEG with something behind its end, as phones write them', async () => {
    const appended = Buffer.concat([imageOf('jpeg'), Buffer.from('a second picture')]);
    await expect(decoder.decode(appended)).resolves.toMatchObject({ format: 'jpeg' });
  });

  it('a YCCK JPEG, as Photoshop writes them', async () => {
    const ours = firstView(await decoder.decode(fixture('ycck.jpg'))).pixels.data;
    const pillows = firstView(await decoder.decode(fixture('ycck-as-pillow.png'))).pixels.data;
    const difference = ours.reduce((sum, v, i) => sum + Math.abs(v - (pillows[i] ?? 0)), 0);
    expect(difference / ours.length).toBeLessThan(0.1);
  });

  it('colours through the embedded profile', async () => {
    const wide = await sharp({
      create: { width: 40, height: 40, channels: 3, background: { r: 200, g: 60, b: 40 } },
    })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const [red, green, blue] = firstView(await decoder.decode(wide)).pixels.data;
    // Within a level of the colour that was written, although the file's own numbers are others.
    const stored = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
    expect(Math.abs((stored[0] ?? 0) - 200)).toBeGreaterThan(5);
    expect(Math.abs((red ?? 0) - 200)).toBeLessThanOrEqual(1);
    expect(Math.abs((green ?? 0) - 60)).toBeLessThanOrEqual(1);
    expect(Math.abs((blue ?? 0) - 40)).toBeLessThanOrEqual(1);
  });
});

describe('a format that is not asked for', () => {
  it('is not decoded, and the message says which are', async () => {
    const picky = createDecoderPool({
      preprocess: clipSpec,
      processes: 1,
      timeoutMs: 20_000,
      maxPixels: 1_000_000,
      ...ample,
      formats: ['jpeg', 'png'],
    });
    await expect(picky.decode(imageOf('png'))).resolves.toMatchObject({ format: 'png' });
    await expect(picky.decode(imageOf('tiff'))).rejects.toMatchObject({
      code: 'image_format_unsupported',
      message: 'decoding an image: a tiff; decoded are jpeg, png',
    });
    await picky.close();
  });
});

describe('what cannot be inspected is told apart', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  it.each<[string, () => Buffer, string]>([
    ['no bytes', () => Buffer.alloc(0), 'image_format_unsupported'],
    ['one byte', () => Buffer.from([0xff]), 'image_format_unsupported'],
    [
      'garbage',
      () => Buffer.from('\x01\x02\x03\x04garbage'.repeat(50)),
      'image_format_unsupported',
    ],
    ['text', () => Buffer.from('a photo of a cat'), 'image_format_unsupported'],
    ['SVG', () => Buffer.from(svg), 'image_format_unsupported'],
    ['PDF', () => Buffer.from('%PDF-1.7\n%âãÏÓ'), 'image_format_unsupported'],
    ['HEIC', () => Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'image_format_unsupported'],
    // Four frames of one colour, written by Pillow 13.
    ['an AVIF sequence', () => fixture('sequence.avif'), 'image_format_unsupported'],
    ['a bare JPEG marker', () => Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'image_truncated'],
    ['a PNG signature', () => imageOf('png').subarray(0, 8), 'image_truncated'],
    ['an AVIF with a flipped bit', () => flipped(imageOf('avif'), 0.9), 'image_corrupt'],
    ['a PNG of no width', () => pngPromising(0, 200), 'image_corrupt'],
    ['a PNG of 50,000 × 50,000', () => pngPromising(50_000, 50_000), 'image_too_many_pixels'],
    ['a PNG one row over the limit', () => pngPromising(1_000, 1_001), 'image_too_many_pixels'],
    ['markers only', () => Buffer.from([0xff, 0xd8, 0xff, 0xd9, 0xff, 0xd9]), 'image_corrupt'],
  ])('%s', async (_, bytes, code) => {
    await expect(decoder.decode(bytes())).rejects.toMatchObject({
      code,
      disposition: 'not-inspected',
      message: expect.stringMatching(/^decoding \S.*[^:\s]$/),
    });
  });
});

describe('a large image', () => {
  it.each([
    ['that divides evenly', 'progressive.jpg'],
    ['that does not', 'rgb.jpg'],
  ])('%s gives the pixels of one resize', async (_, name) => {
    const spec: PreprocessSpec = { ...clipSpec, resizeTo: 16, width: 16, height: 16 };
    const small = start(spec);
    const { data } = firstView(await small.decode(parityImage(name))).pixels;
    await small.close();
    const shown = await sharp(parityImage(name)).raw().toBuffer({ resolveWithObject: true });
    const { width, height } = shown.info;
    const { horizontal, vertical, run } = planResampling(
      geometryOf(spec, width, height),
      'bicubic',
    );
    const part = await sharp(shown.data, { raw: { width, height, channels: 3 } })
      .extract({
        left: horizontal.start,
        top: vertical.start,
        width: horizontal.length,
        height: vertical.length,
      })
      .raw()
      .toBuffer();
    const whole = run(part).data;
    const mean = data.reduce((sum, v, i) => sum + Math.abs(v - (whole[i] ?? 0)), 0) / whole.length;
    expect(mean).toBeLessThan(0.5);
  });
});

describe('a crop larger than the resized image', () => {
  it('is filled up with black, the larger half before', async () => {
    const padded = start({ ...clipSpec, resizeTo: 4, width: 7, height: 7 });
    const white = await sharp({
      create: { width: 50, height: 50, channels: 3, background: '#ffffff' },
    })
      .png()
      .toBuffer();
    const { data } = firstView(await padded.decode(white)).pixels;
    await padded.close();
    const rows = Array.from({ length: 7 }, (_, y) =>
      Array.from({ length: 7 }, (_, x) => (data[(y * 7 + x) * 3] === 255 ? '#' : '.')).join(''),
    );
    expect(rows).toEqual([
      '.......',
      '.......',
      '..####.',
      '..####.',
      '..####.',
      '..####.',
      '.......',
    ]);
  });
});

describe('a thumbnail', () => {
  it('is a WebP no larger than asked, upright', async () => {
    const thumbnail = await decoder.thumbnail(parityImage('exif-6.jpg'), 100);
    const { format, width, height } = await sharp(thumbnail).metadata();
    expect({ format, width, height }).toEqual({ format: 'webp', width: 67, height: 100 });
  });

  it('is not enlarged', async () => {
    const thumbnail = await decoder.thumbnail(parityImage('tiny-10x7.png'), 100);
    expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 10, height: 7 });
  });

  it('of a broken image is refused as its decoding is', async () => {
    await expect(decoder.thumbnail(Buffer.from('text'), 100)).rejects.toMatchObject({
      code: 'image_format_unsupported',
    });
  });
});
