import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { isMissing, keepFile } from './model-files.ts';
import type { Manifest } from './model-manifest.ts';
import type { Encoded } from './ort-session.ts';
import { GOLDEN_TOLERANCES, type Precision } from './precision.ts';
import { dot } from './unit-vectors.ts';

/** Embeddings that every execution provider must reproduce: of `goldenImage` and of a text. */
export interface Golden {
  text: string;
  imageEmbedding: Float32Array;
  textEmbedding: Float32Array;
  /** Largest cosine distance that counts as equal. */
  tolerance: number;
}

/** `matched`: as good as equal to what was known; `recorded`: known from now on; `unrecorded`: the cache is not writable. */
export interface GoldenOutcome {
  state: 'matched' | 'recorded' | 'unrecorded';
  drift: Drift;
}

export const GOLDEN_TEXT = 'a photo of a cat on a red chair';
/** Four digits of agreement: far above rounding, far below what a wrong kernel or input order makes. */
export const GOLDEN_TOLERANCE = GOLDEN_TOLERANCES.fp32;

/**
 * A picture made by formula (`gradient-1`), RGB `[height, width, 3]`: red grows to the right, green
 * downwards, blue is a fine texture, so that swapped channels, axes or rows all show.
 */
export function goldenImage(width: number, height: number): Uint8Array {
  const image = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      image[at++] = Math.floor((255 * x) / width);
      image[at++] = Math.floor((255 * y) / height);
      image[at++] = ((x ^ y) * 5) & 255;
    }
  }
  return image;
}

export function goldenFromManifest({ golden }: Manifest): Golden | null {
  if (!golden) return null;
  return {
    text: golden.text,
    imageEmbedding: fromBase64(golden.image_embedding),
    textEmbedding: fromBase64(golden.text_embedding),
    tolerance: golden.tolerance ?? GOLDEN_TOLERANCE,
  };
}

/** How far embeddings are from those that were expected, as cosine distances. */
export interface Drift {
  image: number;
  text: number;
}

/** What is known of a model may have been computed in fp32, and another precision has to keep less closely to it. */
export function loosened(golden: Golden, precision: Precision): Golden {
  if (precision === 'fp32') return golden;
  return { ...golden, tolerance: Math.max(golden.tolerance, GOLDEN_TOLERANCES[precision]) };
}

/** Throws AppError `model_mismatch` when `actual` is not what `expected` says of these towers. */
export function checkGolden(
  expected: Golden,
  actual: Golden,
  model: string,
  on: string,
  towers: ReadonlyArray<keyof Drift> = ['image', 'text'],
): Drift {
  const drift = { image: 0, text: 0 };
  for (const tower of towers) {
    const wanted = expected[`${tower}Embedding`];
    const got = actual[`${tower}Embedding`];
    const distance = wanted.length === got.length ? cosineDistance(wanted, got) : 1;
    drift[tower] = distance;
    // Written so that NaN fails.
    if (distance <= expected.tolerance) continue;
    throw new AppError(
      'model_mismatch',
      `checking ${model} on ${on}: the golden ${tower} embedding is off by ${distance.toPrecision(3)} in cosine ` +
        `(allowed: ${expected.tolerance}; ${got.length} dimensions, expected ${wanted.length}). The graph, the ` +
        'runtime or the device computes something else than when the embedding was recorded; its scores cannot be trusted.',
    );
  }
  return drift;
}

/**
 * Throws AppError `model_mismatch` when a similarity is not the dot product of its embedding and its prompt.
 * `prompts` is `[prompts, dimensions]`.
 */
export function checkSimilarities(
  { embeddings, similarities }: Encoded,
  prompts: Float32Array,
  dimensions: number,
  what: string,
): void {
  if (similarities === null) return;
  const count = prompts.length / dimensions;
  similarities.forEach((similarity, at) => {
    const image = Math.floor(at / count) * dimensions;
    const prompt = (at % count) * dimensions;
    const expected = dot(
      embeddings.subarray(image, image + dimensions),
      prompts.subarray(prompt, prompt + dimensions),
    );
    if (Math.abs(similarity - expected) <= GOLDEN_TOLERANCE) return;
    throw new AppError(
      'model_mismatch',
      `checking ${what}: the similarity of the golden image to prompt ${(at % count) + 1} of ${count} is ` +
        `${similarity}, its vectors say ${expected}; its scores cannot be trusted`,
    );
  });
}

/** Of vectors of equal length. */
export function cosineDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return 1 - dot / Math.sqrt(aa * bb);
}

const recordSchema = z.strictObject({
  text: z.string(),
  image_embedding: z.base64(),
  text_embedding: z.base64(),
});

/** The golden embeddings of models that ship none, by model hash, below the cache folder. */
export interface GoldenCache {
  read(modelHash: string): Promise<Golden | null>;
  /** False where the folder cannot be written: a read-only container must still start. */
  write(modelHash: string, golden: Golden): Promise<boolean>;
}

export function createGoldenCache(cacheFolder: string): GoldenCache {
  const fileOf = (hash: string): string => join(cacheFolder, 'golden', `${hash}.json`);
  return {
    read: async (hash) => {
      const text = await readFile(fileOf(hash), 'utf8').catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      if (text === null) return null;
      const parsed = recordSchema.safeParse(parseJson(text));
      if (!parsed.success) {
        throw new AppError(
          'model_invalid',
          `reading ${fileOf(hash)}: not golden embeddings; remove the file to record them again`,
        );
      }
      return {
        text: parsed.data.text,
        imageEmbedding: fromBase64(parsed.data.image_embedding),
        textEmbedding: fromBase64(parsed.data.text_embedding),
        tolerance: GOLDEN_TOLERANCE,
      };
    },
    write: (hash, golden) => {
      const record = {
        text: golden.text,
        image_embedding: toBase64(golden.imageEmbedding),
        text_embedding: toBase64(golden.textEmbedding),
      };
      return keepFile(fileOf(hash), JSON.stringify(record));
    },
  };
}

/** 32-bit floats, little-endian, as base64. */
export function toBase64(floats: Float32Array): string {
  const bytes = Buffer.alloc(floats.length * 4);
  floats.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes.toString('base64');
}

function fromBase64(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) =>
    bytes.readFloatLE(index * 4),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
