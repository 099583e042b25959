import { AppError } from '../errors.ts';
import type { Pixels } from '../images/image-decoder.ts';
import { preprocessingVersion } from '../images/preprocessing-version.ts';
import type { ClipEncoder, EncodedImage, EncoderInfo, UnitVector } from './clip-encoder.ts';
import { dot, normalizeRows } from './unit-vectors.ts';

export interface MemoryClipEncoderOptions {
  /** Any direction, of the same number of dimensions for every image and text; it is scaled to length 1. */
  image: (pixels: Pixels) => readonly number[];
  text: (text: string) => readonly number[];
  /** What differs from a softmax model of 8 × 8 pixels. */
  info?: Partial<EncoderInfo>;
}

/** A `ClipEncoder` whose embeddings are given by two functions: for tests of what is built on one. */
export function createMemoryClipEncoder(options: MemoryClipEncoderOptions): ClipEncoder {
  const preprocess = options.info?.preprocess ?? {
    mode: 'squash',
    resizeTo: 8,
    width: 8,
    height: 8,
    kernel: 'bicubic',
    mean: [0, 0, 0],
    std: [1, 1, 1],
    rescale: 1 / 255,
  };
  const info: EncoderInfo = {
    id: 'memory',
    hash: '0'.repeat(64),
    executionProvider: 'cpu',
    dimensions: options.text('').length,
    preprocess,
    preprocessing: preprocessingVersion(preprocess),
    scoring: {
      kind: 'softmax',
      logitScale: 100,
      logitBias: 0,
      cosineFloor: null,
      neutralPrompts: null,
    },
    ...options.info,
  };
  let closed = false;
  let prompts: UnitVector[] = [];

  // Promises rather than throws: a caller sees the same of every adapter.
  const embed = async <T>(
    items: readonly T[],
    vector: (item: T) => readonly number[],
  ): Promise<UnitVector[]> => {
    await Promise.resolve();
    if (closed) throw new AppError('encoder_failed', 'encoding: the encoder was closed');
    return items.map((item) => normalizeRows(Float32Array.from(vector(item)), 1));
  };

  const compare = (embedding: UnitVector): EncodedImage => ({
    embedding,
    similarities:
      prompts.length === 0 ? null : Float32Array.from(prompts, (prompt) => dot(prompt, embedding)),
  });

  return {
    info,
    concurrency: 1,
    usePrompts: (matrix) => {
      const { dimensions } = info;
      prompts = Array.from({ length: matrix.length / dimensions }, (_, row) =>
        matrix.slice(row * dimensions, (row + 1) * dimensions),
      );
      return Promise.resolve();
    },
    encodeImages: async (batch) => {
      const embeddings = await embed(batch, (pixels) => {
        if (pixels.data.length === preprocess.width * preprocess.height * 3) {
          return options.image(pixels);
        }
        throw new AppError(
          'inference_failed',
          `encoding an image of ${pixels.width}×${pixels.height}: the model takes ${preprocess.width}×${preprocess.height}`,
        );
      });
      return embeddings.map(compare);
    },
    encodeTexts: (texts) => embed(texts, options.text),
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}
