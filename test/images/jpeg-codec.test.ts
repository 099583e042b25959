import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';

import type { Box } from '../../src/images/image-decoder.ts';
import { openImage, allowLoaders } from '../../src/images/open-image.ts';
import { decodePlainly, decodeRaster } from '../../src/images/raster.ts';
import { parityImage } from '../support/tiny-clip.ts';

const settings = {
  formats: ['jpeg'],
  maxPixels: 4_000_000,
  maxEdge: 65_535,
  maxFrames: 1,
  views: { sampledFrames: 1, tiles: 0, truncated: 'refuse' },
} as const;
allowLoaders(['jpeg']);

/** Noise laid over a photo: blocks of every kind. */
async function pictureOf(width: number, height: number, noise: number) {
  const { data, info } = await sharp(parityImage('rgb.jpg'))
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  let state = 12_345;
  const noisy = data.map((value) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.min(255, Math.max(0, value + ((state >> 16) % (2 * noise + 1)) - noise));
  });
  return sharp(noisy, { raw: info });
}

const jpegs = fc.record({
  width: fc.integer({ min: 1, max: 180 }),
  height: fc.integer({ min: 1, max: 180 }),
  noise: fc.constantFrom(0, 8, 120),
  quality: fc.integer({ min: 1, max: 100 }),
  chromaSubsampling: fc.constantFrom('4:4:4', '4:2:0'),
  progressive: fc.boolean(),
  optimiseCoding: fc.boolean(),
  trellisQuantisation: fc.boolean(),
  grey: fc.boolean(),
  orientation: fc.integer({ min: 1, max: 8 }),
});

const shares = fc.tuple(...[0, 1, 2, 3].map(() => fc.double({ min: 0, max: 1, noNaN: true })));

/** Any part of a frame. */
function partOf(width: number, height: number, [x = 0, y = 0, w = 0, h = 0]: number[]): Box {
  const [left, top] = [Math.floor(x * (width - 1)), Math.floor(y * (height - 1))];
  return {
    ...{ left, top },
    width: 1 + Math.floor(w * (width - left - 1)),
    height: 1 + Math.floor(h * (height - top - 1)),
  };
}

describe('an ordinary JPEG', () => {
  it('has any part of it decoded to the bytes that the native decoder gives', async () => {
    await fc.assert(
      fc.asyncProperty(jpegs, shares, async ({ width, height, noise, grey, orientation, ...rest }, at) => {
        const picture = (await pictureOf(width, height, noise)).withMetadata({ orientation });
        const bytes = await (grey ? picture.toColourspace('b-w') : picture).jpeg(rest).toBuffer();
        const image = await openImage(bytes, settings);
        const part = partOf(image.width, image.height, at);
        const plain = decodePlainly(image, part, null);
        const native = await decodeRaster(image, part, null);
        const shown = (await sharp(bytes).metadata()).autoOrient;
        expect({ width: image.width, height: image.height }).toEqual(shown);
        expect(plain?.data.length).toBe(native.data.length);
        expect(Buffer.compare(plain?.data ?? Buffer.of(), native.data)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it.each([2, 4, 8])('made smaller by %i is what the native decoder gives', async (by) => {
    await fc.assert(
      fc.asyncProperty(jpegs, shares, async ({ noise, grey, orientation, ...rest }, at) => {
        const [width, height] = [Math.ceil(rest.width / by) * by, Math.ceil(rest.height / by) * by];
        const picture = (await pictureOf(width, height, noise)).withMetadata({ orientation });
        const bytes = await (grey ? picture.toColourspace('b-w') : picture).jpeg(rest).toBuffer();
        const image = await openImage(bytes, settings);
        const size = { width: image.width / by, height: image.height / by };
        const part = partOf(size.width, size.height, at);
        const plain = decodePlainly(image, part, size);
        const native = await decodeRaster(image, part, size);
        expect(plain?.data.length).toBe(native.data.length);
        expect(Buffer.compare(plain?.data ?? Buffer.of(), native.data)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
