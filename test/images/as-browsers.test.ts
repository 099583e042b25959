/** What rewriting the bytes of an image promises beside the look of it, which browser-truth.test.ts compares. */
import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { readApng } from '../../src/images/as-browsers/apng.ts';
import { asBrowsersShow } from '../../src/images/as-browsers/as-browsers.ts';
import type { Codec } from '../../src/images/as-browsers/codec.ts';
import { DEFAULT_VIEWS } from '../../src/images/image-decoder.ts';
import { allowLoaders, openImage } from '../../src/images/open-image.ts';
import { IMAGE_FORMATS, sniffFormat } from '../../src/images/sniff-format.ts';
import { parityImage } from '../support/tiny-clip.ts';

const truth = (name: string): Buffer =>
  readFileSync(new URL(`../fixtures/browser-truth/files/${name}`, import.meta.url));
const codec: Codec = {
  toEightBits: (png) => Promise.resolve(png),
  rgbaOf: () => Promise.resolve(Buffer.alloc(48 * 32 * 4)),
  pixelsOf: () => Promise.resolve(Buffer.alloc(256 * 3)),
};
const settings = {
  formats: ['png'],
  maxPixels: 10_000,
  maxEdge: 1_000,
  maxFrames: 100,
  views: DEFAULT_VIEWS,
} as const;
// For the whole process, which other test files may share.
allowLoaders(IMAGE_FORMATS);

it('a GIF of which no frame is left is no image', async () => {
  // 2 × 1 pixels; the second of its frames breaks off.
  const hex =
    '47494638396102000100810000000000ff000000ff000000ff2c0000' +
    '0000010001000002024401002c01000000010001000040004401003b';
  const gif = Buffer.from(hex, 'hex');
  for (const lenient of [false, true]) {
    const opening = openImage(gif, { ...settings, formats: ['gif'], lenient });
    await expect(opening).rejects.toMatchObject({ code: 'image_corrupt' });
  }
});

describe('the bytes of an image', () => {
  it.each(['rgb.jpg', 'rgba.png', 'lossy.webp'])(
    'that browsers read alike are not copied: %s',
    async (name) => {
      const bytes = parityImage(name);
      const format = sniffFormat(bytes) ?? 'tiff';
      expect((await asBrowsersShow(bytes, format, codec)).bytes).toBe(bytes);
    },
  );

  it.each([
    ...['jpeg-profile-rgb-d2b1.jpg', 'png-profile-rgb8-lut-a2b0.png', 'apng-over-previous.png'],
    ...['webp-profile-rgb-swapped.webp', 'gif-animation-uncovered-background.gif'],
    ...['avif-nclx-p3.avif', 'avif-clap-turned.avif'],
  ])('are never read beyond their end, whatever is broken in them: %s', async (name) => {
    const whole = truth(name);
    const format = sniffFormat(whole) ?? 'tiff';
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    const changes = fc.array(change, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(whole.length), async (edits, length) => {
        const broken = Buffer.from(whole);
        for (const [at, value] of edits) broken[at] = value;
        for (const bytes of [broken, whole.subarray(0, length)]) {
          const shown = await asBrowsersShow(bytes, format, codec);
          expect(shown.bytes.length).toBeLessThan(whole.length + 100_000);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('an animated PNG', () => {
  it('says how long each frame is shown, as browsers do', () => {
    const apng = readApng(truth('apng-delays.png'), codec);
    expect(apng?.frames.map(({ durationMs }) => Math.round(durationMs))).toEqual([100, 50, 333]);
  });

  it('of more frames than the limit is refused before one is composed', async () => {
    const bytes = truth('apng-default-shown.png');
    await expect(openImage(bytes, { ...settings, maxFrames: 2 })).rejects.toMatchObject({
      code: 'image_too_many_frames',
    });
  });

  it('of more pixels than the limit is refused before one is composed', async () => {
    const bytes = truth('apng-default-shown.png');
    await expect(openImage(bytes, { ...settings, maxPixels: 1_000 })).rejects.toMatchObject({
      code: 'image_too_many_pixels',
    });
  });

  it('keeps a frame as it was while later ones are composed, and can go back', async () => {
    const bytes = truth('apng-source-none.png');
    const first = await openImage(bytes, settings);
    const before = Buffer.from(first.bytes);
    const last = await openImage(bytes, settings, 2);
    expect(last.bytes.equals(before)).toBe(false);
    expect(first.bytes.equals(before)).toBe(true);
    expect((await openImage(bytes, settings)).bytes.equals(before)).toBe(true);
  });
});
