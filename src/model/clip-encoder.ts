/**
 * The model boundary: pixels and texts in, unit vectors and their similarities out. Nothing outside this room sees a tensor, and
 * nothing in it sees a record, a policy or a verdict.
 */
import type { Pixels, PreprocessSpec } from '../images/image-decoder.ts';

/** Where inference runs; nothing falls back to another one. */
export const EXECUTION_PROVIDERS = ['cpu', 'cuda', 'tensorrt'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** A point on the unit sphere: `dimensions` numbers of Euclidean length 1. */
export type UnitVector = Float32Array;

/** What an image is to the model. */
export interface EncodedImage {
  embedding: UnitVector;
  /**
   * Its cosine similarity to each prompt given to `usePrompts`, in their order. Null where none were given or the
   * encoder leaves the comparison to its caller.
   */
  similarities: Float32Array | null;
}

/** How this model's cosine similarities become probabilities. */
export interface Scoring {
  /** `softmax` over competing prompts (CLIP, Radford et al. 2021) or `sigmoid` of each (SigLIP, Zhai et al. 2023). */
  kind: 'softmax' | 'sigmoid';
  logitScale: number;
  logitBias: number;
  /** Below this cosine a match means nothing for this model; null when it states none. */
  cosineFloor: number | null;
  /** The model's own neutral prompts, used by a bundle that gives none. */
  neutralPrompts: readonly string[] | null;
}

export interface EncoderInfo {
  id: string;
  /** SHA-256 over the files of the model folder: the model's identity. */
  hash: string;
  executionProvider: ExecutionProvider;
  dimensions: number;
  preprocess: PreprocessSpec;
  /** Names the way from bytes to pixels; it changes when the same image would give other pixels. */
  preprocessing: string;
  scoring: Scoring;
}

export interface ClipEncoder {
  readonly info: EncoderInfo;
  /** Batches that it works on at once; further ones wait for these. */
  readonly concurrency: number;
  /**
   * Prompts that images are compared with from now on: unit vectors `[prompts, dimensions]`, row by row. Throws
   * AppError `model_mismatch` when what the device computes is not their similarity, and what `encodeImages` throws.
   */
  usePrompts(prompts: Float32Array): Promise<void>;
  /**
   * One answer for each image, in order. A batch is one inference.
   * Throws AppError `inference_failed` when the runtime refused this batch, `encoder_failed` when the
   * encoder itself is gone.
   */
  encodeImages(batch: readonly Pixels[]): Promise<EncodedImage[]>;
  /** One embedding for each text, in order; texts over the model's token limit are cut, their end token kept. */
  encodeTexts(texts: readonly string[]): Promise<UnitVector[]>;
  close(): Promise<void>;
}
