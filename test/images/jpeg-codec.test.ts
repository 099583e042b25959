import { readFileSync } from 'node:fs';

import { afterAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';

import type { Box } from '../../src/images/image-decoder.ts';
import { readJpegHeader } from '../../src/images/jpeg-header.ts';
import { allowLoaders, openImage } from '../../src/images/open-image.ts';
import { decodePlainly, decodeRaster } from '../../src/images/raster.ts';
import { IMAGE_FORMATS } from '../../src/images/sniff-format.ts';
import { photoJpeg } from '../support/jpegs.ts';
import { parityImage } from '../support/tiny-clip.ts';

jest.setTimeout(60_000);

const settings = {
  formats: ['jpeg'],
  maxPixels: 4_000_000,
  maxEdge: 65_535,
  maxFrames: 1,
  views: { sampledFrames: 1, looks: 'single', tiles: 0, damaged: 'refuse' },
} as const;
// Blocked for the whole process by open-image.ts, which other test files may share.
allowLoaders(IMAGE_FORMATS);
afterAll(() => {
  sharp.unblock({ operation: ['VipsForeignLoad'] });
});

const open = (bytes: Buffer) => openImage(bytes, settings);

const jpegs = fc.record({
  width: fc.integer({ min: 1, max: 180 }),
  height: fc.integer({ min: 1, max: 180 }),
  noise: fc.constantFrom(0, 8, 120),
  grey: fc.boolean(),
  orientation: fc.integer({ min: 1, max: 8 }),
  quality: fc.integer({ min: 1, max: 100 }),
  chromaSubsampling: fc.constantFrom('4:4:4', '4:2:0'),
  progressive: fc.boolean(),
  optimiseCoding: fc.boolean(),
});

/** Evenly spread, as `fc.double` is not. */
const share = fc.integer({ min: 0, max: 2 ** 20 }).map((part) => part / 2 ** 20);
const shares = fc.tuple(share, share, share, share);

/** Any part of a frame. */
function partOf(size: { width: number; height: number }, [x, y, w, h]: number[]): Box {
  const left = Math.floor((x ?? 0) * (size.width - 1));
  const top = Math.floor((y ?? 0) * (size.height - 1));
  const width = 1 + Math.floor((w ?? 0) * (size.width - left - 1));
  const height = 1 + Math.floor((h ?? 0) * (size.height - top - 1));
  return { left, top, width, height };
}

async function expectTheSame(bytes: Buffer, at: number[]): Promise<void> {
  const image = await open(bytes);
  const part = partOf(image, at);
  const plain = decodePlainly(image, part);
  const native = await decodeRaster(image, part, null);
  expect(image.plainJpeg).not.toBeNull();
  expect({ ...plain, data: [] }).toEqual({ ...native, data: [] });
  expect(Buffer.compare(plain?.data ?? Buffer.of(), native.data)).toBe(0);
}

describe('an ordinary JPEG', () => {
  it('has any part of it decoded to the bytes that the native decoder gives', async () => {
    await fc.assert(
      fc.asyncProperty(jpegs, shares, async (jpeg, at) => {
        const bytes = await photoJpeg(jpeg);
        const { width, height } = await open(bytes);
        expect({ width, height }).toEqual((await sharp(bytes).metadata()).autoOrient);
        await expectTheSame(bytes, at);
      }),
      { numRuns: 120 },
    );
  });

  // Written by Pillow 13: 4:2:2, restart markers, RGB kept as it is.
  it.each(['h2v1.jpg', 'restarts.jpg', 'progressive-restarts.jpg', 'rgb-kept.jpg'])(
    'likewise of another make: %s',
    async (name) => {
      const file = new URL(`../fixtures/images/${name}`, import.meta.url);
      await expectTheSame(readFileSync(file), [0, 0, 1, 1]);
      await expectTheSame(readFileSync(file), [0.3, 0.4, 0.5, 0.5]);
    },
  );

  it('with any fault in it is refused, or has the pixels that the native decoder gives', async () => {
    const outcomes = { refused: 0, decoded: 0 };
    await fc.assert(
      fc.asyncProperty(
        jpegs,
        fc.array(fc.tuple(share, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        async (jpeg, faults) => {
          const bytes = await photoJpeg({ ...jpeg, orientation: 1 });
          for (const [at, value] of faults) bytes[Math.floor(at * (bytes.length - 1))] = value;
          const image = await open(bytes).catch(() => null);
          if (!image?.plainJpeg) return;
          const whole = { left: 0, top: 0, width: image.width, height: image.height };
          const plain = decodePlainly(image, whole);
          outcomes[plain === null ? 'refused' : 'decoded'] += 1;
          if (plain === null) return;
          // Where 16 bits overflow, the native decoder gives other pixels on other processors.
          if (process.arch !== 'x64') return;
          const native = await decodeRaster(image, whole, null);
          expect(Buffer.compare(plain.data, native.data)).toBe(0);
        },
      ),
      { numRuns: 120 },
    );
    expect(outcomes.refused).toBeGreaterThan(20);
    expect(outcomes.decoded).toBeGreaterThan(20);
  });

  it('is decoded as well after one that was refused', async () => {
    const bytes = await photoJpeg({ width: 90, height: 60 });
    const broken = Buffer.from(bytes);
    broken.fill(0xff, broken.length / 2, broken.length - 2);
    const image = await open(broken);
    const { width, height } = image;
    expect(decodePlainly(image, { left: 0, top: 0, width, height })).toBeNull();
    await expectTheSame(bytes, [0, 0, 1, 1]);
  });
});

describe('left to the native decoder', () => {
  const picture = () => sharp(parityImage('rgb.jpg')).resize(90, 60);
  it.each<[string, () => Promise<Buffer> | Buffer]>([
    ['CMYK', () => parityImage('cmyk.jpg')],
    ['YCCK', () => readFileSync(new URL('../fixtures/images/ycck.jpg', import.meta.url))],
    ['a profile other than sRGB', () => picture().withIccProfile('p3').jpeg().toBuffer()],
    ['arithmetic coding', async () => withFrame(await picture().jpeg().toBuffer(), 0xc9)],
    ['lossless coding', async () => withFrame(await picture().jpeg().toBuffer(), 0xc3)],
    ['12 bits', async () => withFrame(await picture().jpeg().toBuffer(), 0xc1, 12)],
    ['a file without a scan', async () => (await picture().jpeg().toBuffer()).subarray(0, 100)],
  ])('%s', async (_, make) => {
    expect(readJpegHeader(await make())).toBeNull();
  });

  it('unlike an sRGB profile, which says nothing new', async () => {
    const bytes = await picture().withIccProfile('srgb').jpeg().toBuffer();
    expect(readJpegHeader(bytes)).toEqual({ width: 90, height: 60, orientation: 1 });
  });
});

/** With another kind of frame, and another depth, in its header. */
function withFrame(bytes: Buffer, marker: number, depth = 8): Buffer {
  const at = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes[at + 1] = marker;
  bytes[at + 4] = depth;
  return bytes;
}
