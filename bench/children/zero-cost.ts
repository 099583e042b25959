/**
 * `moderato run` with an image decoder and an encoder that answer at once with a constant: what is left is what an
 * event costs beside its image. All the rest is that of production, the Prometheus exporter included.
 */
import { serve } from '../../src/cli/run.ts';
import type { DecoderPool } from '../../src/images/decoder-pool.ts';
import type { DecodedImage } from '../../src/images/image-decoder.ts';
import type { ClipEncoder } from '../../src/model/clip-encoder.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';

const model = await readModelFolder(await resolveModel('starter'));
const { width, height } = model.preprocess;
const region = {
  frame: 0,
  crop: 'center',
  box: { left: 0, top: 0, width, height },
  background: null,
} as const;
const picture: DecodedImage = {
  views: [{ region, pixels: { data: new Uint8Array(width * height * 3), width, height } }],
  format: 'jpeg',
  width,
  height,
  frames: 1,
  damaged: false,
  pdq: null,
};
const decoded = Promise.resolve(picture);
const images: DecoderPool = {
  decode: () => decoded,
  close: () => Promise.resolve(),
  restarts: { crash: 0, timeout: 0, memory: 0, recycled: 0 },
  pids: [],
  ready: () => Promise.resolve(),
  thumbnail: () => Promise.reject(new Error('no thumbnails are made here')),
  fingerprint: () => Promise.reject(new Error('no fingerprints are made here')),
};

const dimensions = model.dimensions ?? 512;
const vector = new Float32Array(dimensions).fill(1 / Math.sqrt(dimensions));
let prompts = 0;
const encoder: ClipEncoder = {
  info: { ...model, dimensions, executionProvider: 'cpu' },
  concurrency: 1,
  usePrompts: (matrix) => {
    prompts = matrix.length / dimensions;
    return Promise.resolve();
  },
  encodeImages: (batch) => {
    const similarities = new Float32Array(prompts);
    return Promise.resolve(batch.map(() => ({ embedding: vector, similarities })));
  },
  encodeTexts: (texts) => Promise.resolve(texts.map(() => vector)),
  close: () => Promise.resolve(),
};

await serve(process.argv[2] ?? '', { images, encoder });
