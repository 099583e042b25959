/** What an image may hide from one look: behind its alpha, in later frames, beside the centre, behind its end. */
import { afterAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';

import { over } from '../../src/images/alpha.ts';
import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import { DEFAULT_VIEWS, type View, type ViewSettings } from '../../src/images/image-decoder.ts';
import { clipSpec, parityImage } from '../support/tiny-clip.ts';

const EDGE = 32;
const pools: Array<{ close: () => Promise<void> }> = [];
function start(views: Partial<ViewSettings> = {}, frameKey?: string, maxFrames = 100) {
  const pool = createDecoderPool({
    preprocess: { ...clipSpec, resizeTo: EDGE, width: EDGE, height: EDGE },
    processes: 1,
    timeoutMs: 20_000,
    memoryBytes: 2 ** 30,
    maxPixels: 10_000_000,
    maxEdge: 65_535,
    maxFrames,
    frameKey,
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

  it('is looked through at every size, also where the image is reduced', async () => {
    const { data, info } = await sharp(parityImage('rgb.jpg'))
      .resize(700, 500, { fit: 'fill' })
      .ensureAlpha(0)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const png = await sharp(data, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    const { views } = await decoder.decode(png);
    const none = views.find(({ region }) => region.background === 'none');
    const [opaque] = (await decoder.decode(await sharp(png).removeAlpha().png().toBuffer())).views;
    const apart = none?.pixels.data.map((value, at) =>
      Math.abs(value - (opaque?.pixels.data[at] ?? NaN)),
    );
    expect(Math.max(...(apart ?? [NaN]))).toBeLessThanOrEqual(3);
  });

  it('is looked at over both as soon as they can be told apart, in tiles too', async () => {
    // White in alpha from 200 on: a picture on a dark page, nothing on a light one.
    const light = painted(64, 200, (x) => [255, 255, 255, x % 8 < 4 ? 255 : 200]);
    const views = await backgroundsOf(light.png().toBuffer());
    expect(views.map(({ region }) => `${region.crop} ${region.background}`)).toEqual([
      'tile white',
      'tile black',
      'tile white',
      'tile black',
      'tile white',
      'tile black',
      'tile white',
      'tile black',
    ]);
  });

  it('in a grey image with 16 bits is no different', async () => {
    const grey = painted(64, 64, () => [200, 200, 200, 100])
      .toColourspace('rgb16')
      .png();
    const views = await backgroundsOf(grey.toBuffer());
    expect(views.map(({ region }) => region.background)).toEqual(['white', 'black']);
  });

  it('is laid over a background to the nearest level', () => {
    // 100 × 128 ÷ 255 + 255 × 127 ÷ 255 = 177.196; 101 × 127 ÷ 255 = 50.3; 200 × 254 ÷ 255 = 199.2
    expect([...over(Uint8Array.of(100, 0, 255, 128), 255)]).toEqual([177, 127, 255]);
    expect([...over(Uint8Array.of(101, 200, 3, 127), 0)]).toEqual([50, 100, 1]);
    expect([...over(Uint8Array.of(200, 7, 0, 254), 0)]).toEqual([199, 7, 0]);
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
    const frames = image.views.map(({ region }) => region.frame);
    expect(new Set(frames).size).toBe(6);
    expect(frames).toEqual(frames.toSorted((a, b) => a - b));
    // Pages are read, not played: at the same places of every document.
    if (format === 'tiff') expect(frames).toEqual([0, 4, 8, 12, 16, 20]);
    image.views.forEach((view) => {
      expect(Math.abs((mean(view)[0] ?? 0) - view.region.frame * 10)).toBeLessThan(12);
    });
  });

  it.each(['gif', 'webp'] as const)(
    'as %s is looked at where it is shown longest, and elsewhere by a secret',
    async (format) => {
      const frames = animation(40);
      const delay = Array.from({ length: 40 }, (_, frame) => (frame === 23 ? 60_000 : 20));
      const bytes = await frames[format]({ delay }).toBuffer();
      const framesOf = async (pool: typeof decoder, sha256: string): Promise<number[]> =>
        (await pool.decode(bytes, { sha256 })).views.map(({ region }) => region.frame);
      const byHash = await Promise.all(
        ['aa', 'bb', 'cc'].map((sha256) => framesOf(decoder, sha256)),
      );
      for (const chosen of byHash) expect(chosen).toContain(23);
      expect(new Set(byHash.map(String)).size).toBe(3);
      expect(await framesOf(decoder, 'aa')).toEqual(byHash[0]);
      const keyed = start({}, 'a secret of twenty-two characters');
      expect(await framesOf(keyed, 'aa')).not.toEqual(byHash[0]);
    },
  );

  it('is looked at in its own pixels where it was decoded smaller, in one pass', async () => {
    // 300 frames of 640 × 480 take more than 256 MiB.
    const frame = await sharp(parityImage('rgb.jpg'))
      .resize(640, 480, { fit: 'fill' })
      .raw()
      .toBuffer();
    const frames = Array.from({ length: 300 }, (_, at) => {
      const own = Buffer.from(frame);
      own.fill(at % 250, 0, 30_000);
      return own;
    });
    const raw = { width: 640, height: 480 * 300, channels: 3, pageHeight: 480 } as const;
    const bytes = await sharp(Buffer.concat(frames), { raw, limitInputPixels: false })
      .webp({ effort: 0, quality: 50 })
      .toBuffer();
    const { views, width, height } = await start({}, undefined, 300).decode(bytes);
    expect([width, height, views.length]).toEqual([640, 480, 6]);
    for (const { region } of views) {
      expect(region).toMatchObject({
        crop: 'whole',
        box: { left: 0, top: 0, width: 640, height: 480 },
      });
    }
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
    const long = painted(40, 400, (x, y) => [Math.trunc(y / 40) * 25, x * 6, 0, 255]);
    const { views } = await decoder.decode(await long.png().toBuffer());
    expect(views.map(({ region }) => region.crop)).toEqual(Array<string>(6).fill('tile'));
    const reds = views.map((view) => mean(view)[0] ?? 0);
    expect(reds).toEqual(reds.toSorted((a, b) => a - b));
    expect(reds[0]).toBeLessThan(25);
    expect(reds.at(-1)).toBeGreaterThan(200);
    expect(views.at(-1)?.region.box).toEqual({ left: 0, top: 333, width: 40, height: 67 });
  });

  it('is so after it was made smaller, too', async () => {
    const rows = painted(10, 10, (x, y) => [y * 25, x * 25, 0, 255]);
    const long = rows.resize(600, 6_000, { fit: 'fill', kernel: 'nearest' });
    const { views } = await decoder.decode(await long.jpeg({ quality: 95 }).toBuffer());
    expect(views).toHaveLength(6);
    const reds = views.map((view) => mean(view)[0] ?? 0);
    expect(reds).toEqual(reds.toSorted((a, b) => a - b));
    expect(reds[0]).toBeLessThan(25);
    expect(reds.at(-1)).toBeGreaterThan(200);
  });

  it('upright by EXIF is long in the direction that people see', async () => {
    const lying = painted(400, 40, (x, y) => [Math.trunc(x / 40) * 25, y * 6, 0, 255]);
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
