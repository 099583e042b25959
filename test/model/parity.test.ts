import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Pixels } from '../../src/images/image-decoder.ts';
import type { ClipEncoder, UnitVector } from '../../src/model/clip-encoder.ts';
import { cosineDistance } from '../../src/model/golden.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import {
  memoryGoldenCache,
  PARITY,
  parityFolder,
  readJson,
  temporaryFolder,
} from '../support/onnx-models.ts';

// Threads that load a runtime take their time on a busy machine.
jest.setTimeout(30_000);

interface GoldenFile {
  clip: {
    images: Record<string, { reference: string; embedding: number[] }>;
    prompts: { text: string; ids: number[]; embedding: number[] }[];
    softmaxFirst6Prompts: number[][];
  };
  siglip: {
    images: Record<string, { pixelMean: number; embedding: number[] }>;
    inputIds: number[][];
    textEmbeddings: number[][];
    sigmoid: number[][];
  };
}

const golden = await readJson<GoldenFile>(PARITY, 'golden.json');
type GraphKind = 'prepared' | 'plain';
const GRAPHS: readonly GraphKind[] = ['prepared', 'plain'];
const open = async (model: string, graph: GraphKind): ReturnType<typeof createWorkerClipEncoder> =>
  createWorkerClipEncoder({
    model,
    graph,
    threads: 1,
    goldenCache: memoryGoldenCache(),
    preparedFolder: await temporaryFolder(),
  });
const embed = async (encoder: ClipEncoder, batch: readonly Pixels[]): Promise<UnitVector[]> =>
  (await encoder.encodeImages(batch)).map(({ embedding }) => embedding);
const dot = (a: UnitVector, b: UnitVector): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

async function referencePixels(file: string): Promise<Pixels> {
  const { data, info } = await sharp(join(PARITY, file)).removeAlpha().raw().toBuffer({
    resolveWithObject: true,
  });
  return { data, width: info.width, height: info.height };
}

describe.each(GRAPHS)('CLIP on a %s graph, against the reference implementation', (graph) => {
  let encoder: ClipEncoder;
  const images = Object.values(golden.clip.images);
  let pixels: Pixels[];

  beforeAll(async () => {
    encoder = await open(await parityFolder('tiny-clip'), graph);
    pixels = await Promise.all(images.map(({ reference }) => referencePixels(reference)));
  });
  afterAll(() => encoder.close());

  it('embeds the reference pixels as the reference does', async () => {
    const embeddings = await embed(encoder, pixels);
    images.forEach(({ embedding }, at) => {
      expect(cosineDistance(embeddings[at] ?? [], embedding)).toBeLessThan(1e-4);
    });
  });

  it('embeds texts of all lengths in one call as the reference does one by one', async () => {
    const { prompts } = golden.clip;
    const embeddings = await encoder.encodeTexts(prompts.map(({ text }) => text));
    prompts.forEach(({ embedding }, at) => {
      expect(cosineDistance(embeddings[at] ?? [], embedding)).toBeLessThan(1e-4);
    });
  });

  it('reproduces the table of softmax scores', async () => {
    const texts = await encoder.encodeTexts(golden.clip.prompts.slice(0, 6).map((p) => p.text));
    const vectors = await embed(encoder, pixels);
    const { logitScale } = encoder.info.scoring;
    const table = vectors.map((image) => {
      const exponentials = texts.map((text) => Math.exp(logitScale * (dot(image, text) - 1)));
      const sum = exponentials.reduce((a, b) => a + b);
      return exponentials.map((value) => value / sum);
    });
    golden.clip.softmaxFirst6Prompts.forEach((row, at) => {
      row.forEach((score, prompt) => {
        expect(table[at]?.[prompt]).toBeCloseTo(score, 4);
      });
    });
  });

  it('gives an image the same embedding in a batch of any size as alone', async () => {
    for (const size of [1, 2, 5, 12]) {
      const batch = pixels.slice(0, size);
      const together = await embed(encoder, batch);
      for (const [at, one] of batch.entries()) {
        const [alone] = await embed(encoder, [one]);
        expect(cosineDistance(together[at] ?? [], alone ?? [])).toBeLessThan(1e-6);
      }
    }
  });

  it('answers with vectors of length one', async () => {
    for (const vector of await embed(encoder, pixels.slice(0, 3))) {
      expect(dot(vector, vector)).toBeCloseTo(1, 6);
    }
  });

  it('leaves the pixels with their owner, so that a failed batch can be tried again', async () => {
    const [image] = pixels;
    if (!image) throw new Error('no fixture');
    await embed(encoder, [image]);
    expect(image.data.length).toBe(224 * 224 * 3);
    expect(await embed(encoder, [image])).toHaveLength(1);
  });
});

describe.each(GRAPHS)('SigLIP on a %s graph, against the reference implementation', (graph) => {
  let encoder: ClipEncoder;
  beforeAll(async () => {
    encoder = await open(await parityFolder('tiny-siglip'), graph);
  });
  afterAll(() => encoder.close());

  it('squashes, scores by sigmoid and pads to 64 tokens', () => {
    expect(encoder.info.preprocess.mode).toBe('squash');
    expect(encoder.info.scoring).toMatchObject({
      kind: 'sigmoid',
      logitScale: 10,
      logitBias: -2,
    });
  });

  it('embeds texts as the reference does and reproduces the table of sigmoid scores', async () => {
    const { inputIds, textEmbeddings, images, sigmoid } = golden.siglip;
    const texts = await encoder.encodeTexts(
      inputIds.map((ids) => ids.map((id) => `t${id}`).join(' ')),
    );
    textEmbeddings.forEach((expected, at) => {
      expect(cosineDistance(texts[at] ?? [], expected)).toBeLessThan(1e-4);
    });
    const { logitScale, logitBias } = encoder.info.scoring;
    Object.values(images).forEach(({ embedding }, image) => {
      const length = Math.hypot(...embedding);
      texts.forEach((text, at) => {
        const cosine = dot(
          text,
          Float32Array.from(embedding, (value) => value / length),
        );
        const score = 1 / (1 + Math.exp(-(logitScale * cosine + logitBias)));
        expect(score).toBeCloseTo(sigmoid[image]?.[at] ?? NaN, 4);
      });
    });
  });
});
