/** A damaged file is judged by what browsers show of it: refusing it would be a way round moderation. */
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import sharp from 'sharp';

import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import {
  DEFAULT_VIEWS,
  type DecodedImage,
  type ViewSettings,
} from '../../src/images/image-decoder.ts';
import { firstView } from '../support/decoded-image.ts';
import { cut, flipped, pngPromising } from '../support/pictures.ts';
import { clipSpec, parityImage } from '../support/tiny-clip.ts';

jest.setTimeout(60_000);

const pools: Array<{ close: () => Promise<void> }> = [];
function start(damaged: ViewSettings['damaged']) {
  const pool = createDecoderPool({
    preprocess: { ...clipSpec, resizeTo: 64, width: 64, height: 64 },
    processes: 1,
    timeoutMs: 20_000,
    memoryBytes: 2 ** 30,
    maxPixels: 1_000_000,
    maxEdge: 65_535,
    maxFrames: 100,
    // Filling is all of one colour, and would be trimmed as a border is.
    views: { ...DEFAULT_VIEWS, looks: 'single', damaged },
  });
  pools.push(pool);
  return pool;
}
const lenient = start('inspect');
const strict = start('refuse');
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

const made: Record<string, Buffer> = {};
const imageOf = (name: string): Buffer => made[name] ?? parityImage(name);
beforeAll(async () => {
  const picture = () => sharp(parityImage('rgb.jpg')).resize(128, 96);
  made['jpeg'] = await picture().jpeg().toBuffer();
  made['progressive jpeg'] = await picture().jpeg({ progressive: true }).toBuffer();
  made['png'] = await picture().png().toBuffer();
  made['interlaced png'] = await picture().png({ progressive: true }).toBuffer();
  made['webp'] = await picture().webp().toBuffer();
  made['lossless webp'] = await picture().webp({ lossless: true }).toBuffer();
  made['webp with alpha'] = await picture().ensureAlpha(0.5).webp().toBuffer();
  made['gif'] = await picture().gif().toBuffer();
  made['avif'] = await picture().avif({ effort: 0 }).toBuffer();
  made['tiff'] = await picture().tiff().toBuffer();
  const frames = await Promise.all(
    ['rgb.jpg', 'progressive.jpg', 'exif-6.jpg'].map((name) =>
      sharp(parityImage(name)).resize(64, 64, { fit: 'fill' }).png().toBuffer(),
    ),
  );
  const animation = () => sharp(frames, { join: { animated: true } });
  made['animated gif'] = await animation().gif().toBuffer();
  made['animated webp'] = await animation().webp().toBuffer();
});

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../fixtures/images/${name}`, import.meta.url));

/** The mean difference of the upper rows, in levels, of what is seen of two images. */
function difference(one: DecodedImage, other: DecodedImage, share: number): number {
  const [a, b] = [firstView(one).pixels.data, firstView(other).pixels.data];
  const rows = a.subarray(0, Math.floor(64 * share) * 64 * 3);
  return rows.reduce((sum, v, at) => sum + Math.abs(v - (b[at] ?? 0)), 0) / rows.length;
}

/** A PNG's chunks, whose checksums are computed again. */
function mapChunks(png: Buffer, change: (type: string, content: Buffer) => Buffer | null): Buffer {
  const parts = [png.subarray(0, 8)];
  for (let at = 8; at < png.length;) {
    const end = at + 8 + png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const content = change(type, Buffer.from(png.subarray(at + 8, end)));
    if (content) {
      const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
      const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
      length.writeUInt32BE(content.length);
      checksum.writeUInt32BE(crc32(body));
      parts.push(length, body, checksum);
    }
    at = end + 4;
  }
  return Buffer.concat(parts);
}

const withoutEnd = (png: Buffer): Buffer =>
  mapChunks(png, (type, content) => (type === 'IEND' ? null : content));

/** The last byte of the compressed data's own checksum, wrong. */
function withWrongAdler(png: Buffer): Buffer {
  let remaining = 0;
  mapChunks(png, (type, content) => {
    remaining += Number(type === 'IDAT');
    return content;
  });
  return mapChunks(png, (type, content) => {
    if (type !== 'IDAT') return content;
    remaining -= 1;
    if (remaining === 0)
      content.writeUInt8(content.readUInt8(content.length - 1) ^ 1, content.length - 1);
    return content;
  });
}

function withWrongCrc(png: Buffer): Buffer {
  const copy = Buffer.from(png);
  const at = png.indexOf('IDAT') - 4;
  const checksum = at + 8 + png.readUInt32BE(at);
  copy.writeUInt8(copy.readUInt8(checksum) ^ 1, checksum);
  return copy;
}

/** Every restart marker is another than the one that is due; libjpeg warns of each and decodes the same pixels. */
function withRestartsRenumbered(jpeg: Buffer): Buffer {
  const copy = Buffer.from(jpeg);
  for (let at = copy.indexOf('\xff\xda', 0, 'latin1'); at < copy.length - 1; at++) {
    const next = copy.readUInt8(at + 1);
    if (copy[at] === 0xff && next >= 0xd0 && next <= 0xd7)
      copy.writeUInt8(0xd0 + ((next + 4) % 8), at + 1);
  }
  return copy;
}

/** A WebP whose header says that it is longer than it is. */
function boasting(webp: Buffer): Buffer {
  const copy = Buffer.from(webp);
  copy.writeUInt32LE(2_000_000_000, 4);
  return copy;
}

describe('damage that leaves every pixel', () => {
  it.each<[string, () => Buffer, () => Buffer]>([
    ['a PNG without its end', () => withoutEnd(imageOf('png')), () => imageOf('png')],
    ['a PNG with a wrong Adler-32', () => withWrongAdler(imageOf('png')), () => imageOf('png')],
    ['a PNG with a wrong CRC', () => withWrongCrc(imageOf('png')), () => imageOf('png')],
    [
      'an interlaced PNG without its end',
      () => withoutEnd(imageOf('interlaced png')),
      () => imageOf('png'),
    ],
    [
      'an interlaced PNG with a wrong Adler-32',
      () => withWrongAdler(imageOf('interlaced png')),
      () => imageOf('png'),
    ],
    [
      'an interlaced PNG with a wrong CRC',
      () => withWrongCrc(imageOf('interlaced png')),
      () => imageOf('png'),
    ],
    ['a JPEG without its end', () => imageOf('jpeg').subarray(0, -2), () => imageOf('jpeg')],
    [
      'a JPEG of more than 100 warnings',
      () => withRestartsRenumbered(fixture('many-restarts.jpg')),
      () => fixture('many-restarts.jpg'),
    ],
    ['a WebP that says it is longer', () => boasting(imageOf('webp')), () => imageOf('webp')],
  ])('is marked, and %s is judged as if it were sound', async (_, bytes, sound) => {
    const whole = await lenient.decode(sound());
    const image = await lenient.decode(bytes());
    expect([whole.damaged, image.damaged]).toEqual([false, true]);
    expect(difference(image, whole, 1)).toBeLessThan(0.5);
    await expect(strict.decode(bytes())).rejects.toMatchObject({
      code: expect.stringMatching(/^image_(corrupt|truncated)$/),
    });
  });
});

describe('a file that ends too early', () => {
  const CUT = [
    ...['jpeg', 'png', 'webp', 'lossless webp', 'webp with alpha', 'gif', 'animated gif'],
    'animated webp',
  ];

  it.each(CUT)('is seen as far as it goes: %s', async (name) => {
    const whole = await lenient.decode(imageOf(name));
    const image = await lenient.decode(cut(imageOf(name), 0.7));
    expect(image).toMatchObject({ damaged: true, width: whole.width, height: whole.height });
    expect(difference(image, whole, 0.5)).toBeLessThan(1);
  });

  it.each(['progressive jpeg', 'interlaced png'])('is seen coarsely: %s', async (name) => {
    const whole = await lenient.decode(imageOf(name));
    const image = await lenient.decode(cut(imageOf(name), 0.7));
    expect(image.damaged).toBe(true);
    expect(difference(image, whole, 1)).toBeLessThan(40);
  });

  it.each([...CUT, 'progressive jpeg', 'interlaced png', 'avif', 'tiff'])(
    'is inspected or refused, and refused where that is asked for: %s cut anywhere',
    async (name) => {
      for (const share of [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99]) {
        const bytes = cut(imageOf(name), share);
        await expect(strict.decode(bytes)).rejects.toMatchObject({ code: 'image_truncated' });
        const found = await lenient.decode(bytes).then(
          ({ damaged }) => ({ damaged }),
          (error: unknown) => (error as { code: string }).code,
        );
        expect([{ damaged: true }, 'image_truncated']).toContainEqual(found);
      }
    },
  );

  it('shows the pixels that came for those around them, as browsers do, where it is interlaced', async () => {
    const whole = await lenient.decode(imageOf('interlaced png'));
    const image = await lenient.decode(cut(imageOf('interlaced png'), 0.3));
    expect(difference(image, whole, 1)).toBeLessThan(15);
  });

  it('is looked at in the frames that are there', async () => {
    const { frames, views } = await lenient.decode(cut(imageOf('animated gif'), 0.6));
    expect(frames).toBe(2);
    expect(views.map(({ region }) => region.frame)).toEqual([0, 1]);
  });

  it.each<[string, () => Buffer]>([
    ['a bare JPEG marker', () => Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
    ['the header of a JPEG', () => parityImage('rgb.jpg').subarray(0, 30)],
    ['a PNG signature', () => imageOf('png').subarray(0, 8)],
    ['a PNG up to its data', () => imageOf('png').subarray(0, imageOf('png').indexOf('IDAT') + 4)],
    [
      'an interlaced PNG up to its data',
      () => imageOf('interlaced png').subarray(0, imageOf('interlaced png').indexOf('IDAT') + 4),
    ],
    ['the header of a GIF', () => imageOf('gif').subarray(0, 13)],
    ['the header of a WebP', () => imageOf('webp').subarray(0, 30)],
    [
      'the boxes of an AVIF',
      () => imageOf('avif').subarray(0, imageOf('avif').indexOf('mdat') + 4),
    ],
  ])('and holds no picture at all is refused: %s', async (_, bytes) => {
    await expect(lenient.decode(bytes())).rejects.toMatchObject({ code: 'image_truncated' });
  });
});

describe('bytes behind the end', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'avif'])('are no damage to a %s', async (name) => {
    const sound = imageOf(name);
    const whole = await lenient.decode(sound);
    // A box header that promises more, a line feed, a second picture, a RIFF chunk.
    for (const trailer of [
      '\n',
      'trailing!',
      '\0\0\xff\xffmdat',
      '\xff\xd8\xff',
      'EXIF\xff\xff\0\0',
    ]) {
      const bytes = Buffer.concat([sound, Buffer.from(trailer, 'latin1')]);
      expect(await strict.decode(bytes)).toEqual(whole);
    }
  });
});

describe('a damaged image', () => {
  it('is seen up to the damage: a lossy WebP that asks for more data than it has', async () => {
    const webp = imageOf('webp');
    const whole = await lenient.decode(webp);
    const broken = await Promise.all(
      [0.6, 0.7, 0.8, 0.9].map((share) => lenient.decode(flipped(webp, share))),
    );
    expect(broken.filter(({ damaged }) => damaged).length).toBeGreaterThan(0);
    for (const image of broken) expect(difference(image, whole, 0.3)).toBeLessThan(1);
  });

  it('is still held to the limits', async () => {
    const huge = pngPromising(1_000, 1_001);
    await expect(lenient.decode(huge.subarray(0, -20))).rejects.toMatchObject({
      code: 'image_too_many_pixels',
    });
    huge.writeUInt8(1, 28); // Interlaced, with a checksum that is wrong now.
    await expect(lenient.decode(huge)).rejects.toMatchObject({
      code: expect.stringMatching(/^image_(too_many_pixels|corrupt)$/),
    });
  });

  it('has a thumbnail and a fingerprint, unless it is to be refused', async () => {
    const png = flipped(imageOf('png'), 0.9);
    await expect(lenient.thumbnail(png, 50)).resolves.toHaveProperty('length');
    await expect(lenient.fingerprint(png)).resolves.toMatchObject({ format: 'png' });
    await expect(strict.thumbnail(png, 50)).rejects.toMatchObject({ code: 'image_corrupt' });
    await expect(strict.fingerprint(png)).rejects.toMatchObject({ code: 'image_corrupt' });
  });
});
