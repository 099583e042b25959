import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { InferenceSession, Tensor } from 'onnxruntime-node';

import type { Pixels, PreprocessSpec } from '../../src/images/image-decoder.ts';
import { packageFile } from '../../src/package-files.ts';

/** The parity fixtures: what Hugging Face transformers makes of the same pictures. */
export const PARITY = packageFile('test/fixtures/parity');

interface Golden {
  clip: { images: Record<string, { reference: string; shownSize: number[]; embedding: number[] }> };
  siglip: {
    images: Record<string, { pixelMean: number; pixelSample: number[]; embedding: number[] }>;
  };
}

export const golden = JSON.parse(readFileSync(join(PARITY, 'golden.json'), 'utf8')) as Golden;

export function parityImage(name: string): Buffer {
  return readFileSync(join(PARITY, 'images', name));
}

/** As in CLIPImageProcessor. */
export const clipSpec: PreprocessSpec = {
  mode: 'shortest-edge-crop',
  resizeTo: 224,
  width: 224,
  height: 224,
  kernel: 'bicubic',
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  rescale: 1 / 255,
};

/** As in SiglipImageProcessor. */
export const siglipSpec: PreprocessSpec = {
  ...clipSpec,
  mode: 'squash',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/** `[3, height, width]`, normalised. */
export function normalise(pixels: Pixels, { mean, std, rescale }: PreprocessSpec): Float32Array {
  const plane = pixels.width * pixels.height;
  return Float32Array.from({ length: plane * 3 }, (_, i) => {
    const channel = Math.floor(i / plane);
    const value = pixels.data[(i % plane) * 3 + channel] ?? 0;
    return (value * rescale - (mean[channel] ?? 0)) / (std[channel] ?? 1);
  });
}

/** The vision tower of one of the tiny models, whose weights are random. */
export async function loadTinyVision(model: 'tiny-clip' | 'tiny-siglip') {
  const session = await InferenceSession.create(join(PARITY, model, 'onnx/vision_model.onnx'));
  return async (input: Float32Array): Promise<number[]> => {
    const { image_embeds: embeds } = await session.run({
      pixel_values: new Tensor('float32', input, [1, 3, 224, 224]),
    });
    return [...(embeds?.data as Float32Array)];
  };
}

export function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
