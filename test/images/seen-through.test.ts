/** What an image may hide from one look: behind its alpha, in later frames, beside the centre, behind its end. */
import { afterAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';

import { over } from '../../src/images/alpha.ts';
import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import { DEFAULT_VIEWS, type View, type ViewSettings } from '../../src/images/image-decoder.ts';
import { clipSpec, parityImage } from '../support/tiny-clip.ts';

const EDGE = 32;
const pools: Array<{ close: () => Promise<void> }> = [];
function start(views: Partial<ViewSettings> = {}) {
  const pool = createDecoderPool({
    preprocess: { ...clipSpec, resizeTo: EDGE, width: EDGE, height: EDGE },
    processes: 1,
    timeoutMs: 20_000,
    memoryBytes: 2 ** 30,
    maxPixels: 10_000_000,
    maxEdge: 65_535,
    maxFrames: 100,
    views: { ...DEFAULT_VIEWS, ...views },
  });
  pools.push(pool);
  return pool;
}
const decoder = start();
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

const mean = ({ pixels }: View): number[] =>
  [0, 1, 2].map((channel) => {
    const values = pixels.data.filter((_, at) => at % 3 === channel);
    return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
  });

/** A picture of `width` × `height` painted pixel by pixel, RGBA. */
function painted(width: number, height: number, paint: (x: number, y: number) => number[]) {
  const rgba = Buffer.from(
    Array.from({ length: width * height }, (_, at) =>
      paint(at % width, Math.trunc(at / width)),
    ).flat(),
  );
  return sharp(rgba, { raw: { width, height, channels: 4 } });
}

describe('transparency', () => {
  const backgroundsOf = async (png: Promise<Buffer>): Promise<View[]> =>
    (await decoder.decode(await png)).views;

  it('that is not there costs no second look', async () => {
    const views = await backgroundsOf(
      painted(64, 64, () => [9, 9, 9, 255])
        .png()
        .toBuffer(),
    );
    expect(views.map(({ region }) => region.background)).toEqual([null]);
  });

  it('is looked at over white and over black, so that white on nothing is seen', async () => {
    const writing = painted(64, 64, (x) => (x % 8 < 4 ? [255, 255, 255, 255] : [255, 255, 255, 0]));
    const [white, black, ...more] = await backgroundsOf(writing.png().toBuffer());
    expect(more).toEqual([]);
    expect(white?.region.background).toBe('white');
    expect(new Set(white?.pixels.data)).toEqual(new Set([255]));
    expect(black?.region.background).toBe('black');
    expect(new Set(black?.pixels.data).size).toBeGreaterThan(1);
  });

  it('is looked through where what it hides is a picture', async () => {
    const hidden = painted(64, 64, (x, y) => [x * 4, y * 4, 128, 0]);
    const views = await backgroundsOf(hidden.png().toBuffer());
    expect(views.map(({ region }) => region.background)).toEqual(['white', 'black', 'none']);
    expect(views.map(mean)).toEqual([
      [255, 255, 255],
      [0, 0, 0],
      [126, 126, 128],
    ]);
  });

  it('in a grey image with 16 bits is no different', async () => {
    const grey = painted(64, 64, () => [200, 200, 200, 100])
      .toColourspace('rgb16')
      .png();
    const views = await backgroundsOf(grey.toBuffer());
    expect(views.map(({ region }) => region.background)).toEqual(['white', 'black']);
  });

  it('is laid over white as the native decoder does, to the byte', async () => {
    const rgba = await sharp(parityImage('rgba.png')).raw().toBuffer();
    const native = await sharp(parityImage('rgba.png'))
      .flatten({ background: '#ffffff' })
      .raw()
      .toBuffer();
    expect(Buffer.from(over(rgba, 255)).equals(native)).toBe(true);
  });
});

describe('an animation', () => {
  /** Frames of one colour each, told by their red. */
  function animation(count: number): ReturnType<typeof sharp> {
    const frames = Buffer.from(
      Array.from({ length: count }, (_, frame) =>
        Array<number[]>(400).fill([frame * 10, 0, 90]),
      ).flat(2),
    );
    const raw = { width: 20, height: 20 * count, channels: 3, pageHeight: 20 } as const;
    return sharp(frames, { raw });
  }

  it.each(['gif', 'webp', 'tiff'] as const)('as %s is looked at in frames', async (format) => {
    const image = await decoder.decode(await animation(21)[format]().toBuffer());
    expect(image.frames).toBe(21);
    expect(image.views.map(({ region }) => region.frame)).toEqual([0, 4, 8, 12, 16, 20]);
    image.views.forEach((view) => {
      expect(Math.abs((mean(view)[0] ?? 0) - view.region.frame * 10)).toBeLessThan(12);
    });
  });

  it('is looked at once where one frame is asked for', async () => {
    const image = await start({ sampledFrames: 1 }).decode(await animation(3).gif().toBuffer());
    expect(image).toMatchObject({ frames: 3, views: [{ region: { frame: 0 } }] });
  });

  it('without the trailer that some encoders forget is whole', async () => {
    const gif = await animation(5).gif().toBuffer();
    await expect(decoder.decode(gif.subarray(0, -1))).resolves.toMatchObject({ frames: 5 });
  });
});

describe('a very long image', () => {
  it('is looked at from end to end, each tile with its own pixels', async () => {
    // Red grows downwards from 0 to 250 in 10 bands of 40 × 40.
    const long = painted(40, 400, (_, y) => [Math.trunc(y / 40) * 25, 0, 0, 255]);
    const { views } = await decoder.decode(await long.png().toBuffer());
    expect(views.map(({ region }) => region.crop)).toEqual([
      'center',
      ...Array<string>(6).fill('tile'),
    ]);
    const reds = views.slice(1).map((view) => mean(view)[0] ?? 0);
    expect(reds).toEqual(reds.toSorted((a, b) => a - b));
    expect(reds[0]).toBeLessThan(25);
    expect(reds.at(-1)).toBeGreaterThan(200);
    expect(views.at(-1)?.region.box).toEqual({ left: 0, top: 333, width: 40, height: 67 });
  });

  it('is so after it was made smaller, too', async () => {
    const rows = painted(1, 10, (_, y) => [y * 25, 0, 0, 255]);
    const long = rows.resize(600, 6_000, { fit: 'fill', kernel: 'nearest' });
    const { views } = await decoder.decode(await long.jpeg({ quality: 95 }).toBuffer());
    expect(views).toHaveLength(7);
    const reds = views.slice(1).map((view) => mean(view)[0] ?? 0);
    expect(reds).toEqual(reds.toSorted((a, b) => a - b));
    expect(reds[0]).toBeLessThan(25);
    expect(reds.at(-1)).toBeGreaterThan(200);
  });

  it('upright by EXIF is long in the direction that people see', async () => {
    const lying = painted(400, 40, (x) => [Math.trunc(x / 40) * 25, 0, 0, 255]);
    const bytes = await lying
      .flatten()
      .jpeg()
      .withExif({ IFD0: {} })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const image = await decoder.decode(bytes);
    expect([image.width, image.height]).toEqual([40, 400]);
    expect(image.views.at(-1)?.region.box).toMatchObject({ left: 0, top: 333, width: 40 });
  });
});
