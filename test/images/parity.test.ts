import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDecoderPool, type DecoderPool } from '../../src/images/decoder-pool.ts';
import {
  DEFAULT_VIEWS,
  type PreprocessSpec,
  type ViewSettings,
} from '../../src/images/image-decoder.ts';
import {
  clipSpec,
  cosine,
  golden,
  loadTinyVision,
  normalise,
  PARITY,
  parityImage,
  siglipSpec,
} from '../support/tiny-clip.ts';
import { firstView } from '../support/decoded-image.ts';

/** No resizing: the reference pictures are 224 × 224 and lossless. */
const asIs: PreprocessSpec = { ...clipSpec, mode: 'squash' };

/** What the model's own preprocessing shows, and nothing else. */
const views: ViewSettings = { ...DEFAULT_VIEWS, looks: 'single' };
const ample = { memoryBytes: 2 ** 30, maxEdge: 65_535, maxFrames: 100, views };
const start = (preprocess: PreprocessSpec) =>
  createDecoderPool({ preprocess, processes: 1, timeoutMs: 20_000, maxPixels: 1e7, ...ample });

let clip: DecoderPool;
let siglip: DecoderPool;
let plain: DecoderPool;

beforeAll(() => {
  [clip, siglip, plain] = [start(clipSpec), start(siglipSpec), start(asIs)];
});
afterAll(async () => {
  await Promise.all([clip.close(), siglip.close(), plain.close()]);
});

function difference(a: Uint8Array, b: Uint8Array): { mean: number; max: number } {
  const differences = a.map((value, i) => Math.abs(value - (b[i] ?? 0)));
  return {
    mean: differences.reduce((sum, value) => sum + value, 0) / a.length,
    max: differences.reduce((max, value) => Math.max(max, value), 0),
  };
}

/** The same bytes on every machine this was tried on; a hundredth of a level is for those it was not. */
const LIMIT = { mean: 0.01, cosine: 0.9999 };

/** Of 255, in SigLIP's units. Pillow 13 begins with the vertical pass where an image is squashed mostly upwards. */
const ONE_LEVEL = 0.00785;

describe('pixels for CLIP', () => {
  it.each(Object.entries(golden.clip.images))(
    'of %s are those of transformers',
    async (name, { reference, shownSize, embedding }) => {
      const embed = await loadTinyVision('tiny-clip');
      const decoded = await clip.decode(parityImage(name));
      const expected = await plain.decode(readFileSync(join(PARITY, reference)));

      expect([decoded.width, decoded.height]).toEqual(shownSize);
      expect(firstView(decoded).region.crop).toBe('center');
      const { mean, max } = difference(
        firstView(decoded).pixels.data,
        firstView(expected).pixels.data,
      );
      const similarity = cosine(
        await embed(normalise(firstView(decoded).pixels, clipSpec)),
        embedding,
      );
      if (process.env['SHOW_PARITY']) {
        console.log(`| ${name} | ${mean.toFixed(3)} | ${max} | ${similarity.toFixed(6)} |`);
      }
      expect(mean).toBeLessThanOrEqual(LIMIT.mean);
      expect(similarity).toBeGreaterThanOrEqual(LIMIT.cosine);
    },
  );
});

describe('pixels for SigLIP', () => {
  it.each(Object.entries(golden.siglip.images))(
    'of %s are those of transformers',
    async (name, { pixelMean, pixelSample, embedding }) => {
      const embed = await loadTinyVision('tiny-siglip');
      const decoded = await siglip.decode(parityImage(name));
      const input = normalise(firstView(decoded).pixels, siglipSpec);

      expect(firstView(decoded).region.crop).toBe('whole');
      const mean = input.reduce((sum, value) => sum + value, 0) / input.length;
      expect(Math.abs(mean - pixelMean)).toBeLessThanOrEqual(1e-4);
      const sample = [0, 1, 2].flatMap((c) =>
        [0, 56, 112, 168].flatMap((y) =>
          [0, 56, 112, 168].map((x) => input[(c * 224 + y) * 224 + x] ?? NaN),
        ),
      );
      const drift = sample.map((value, i) => Math.abs(value - (pixelSample[i] ?? NaN)));
      const similarity = cosine(await embed(input), embedding);
      if (process.env['SHOW_PARITY']) {
        console.log(`| ${name} | ${Math.max(...drift).toFixed(4)} | ${similarity.toFixed(6)} |`);
      }
      expect(Math.max(...drift)).toBeLessThanOrEqual(ONE_LEVEL);
      expect(similarity).toBeGreaterThanOrEqual(LIMIT.cosine);
    },
  );
});
