import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import type { Manifest } from './model-manifest.ts';

/** What a model's weights are stored and its arithmetic done in. */
export type Precision = 'fp32' | 'fp16' | 'int8';

/** Endings of graph files in Hugging Face exports, the first that is there; none: fp32. */
const SUFFIXES: Record<Precision, readonly string[]> = {
  fp32: [''],
  fp16: ['_fp16'],
  int8: ['_quantized', '_int8'],
};

/**
 * Cosine distance from what fp32 computes up to which a golden embedding counts as met: half precision keeps three
 * digits and rounds in every layer; what eight bits cost depends on the model, so this only finds what is broken.
 */
export const GOLDEN_TOLERANCES: Record<Precision, number> = { fp32: 1e-3, fp16: 5e-3, int8: 0.1 };

/** Names of the two graphs, relative to the folder. */
export interface GraphNames {
  vision: string;
  text: string;
}

/**
 * The graphs of this precision. What `moderato.json` names goes before the usual names for fp32. A folder without a
 * text graph of its own in this precision is used with that of fp32: prompts are embedded once.
 * Throws AppError `model_not_found` with the names that were looked for.
 */
export async function chooseGraphs(
  folder: string,
  { graphs = {} }: Manifest,
  precision: Precision,
): Promise<GraphNames> {
  const plain = {
    vision: graphs.vision ?? 'onnx/vision_model.onnx',
    text: graphs.text ?? 'onnx/text_model.onnx',
  };
  if (precision === 'fp32') return plain;
  const named = (tower: string): string[] =>
    SUFFIXES[precision].map((suffix) => `onnx/${tower}_model${suffix}.onnx`);
  const candidates = named('vision');
  const vision = await firstThere(folder, candidates);
  if (vision !== undefined) {
    return { vision, text: (await firstThere(folder, named('text'))) ?? plain.text };
  }
  throw new AppError(
    'model_not_found',
    `reading model folder ${folder} in ${precision}: missing ${candidates.join(' or ')}`,
  );
}

async function firstThere(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found?.isFile()) return name;
  }
  return undefined;
}

/** Whether a file of the folder is a graph, or weights of one: of each model only some are in use. */
export function isGraphFile(name: string): boolean {
  return /\.onnx(?:_data.*)?$/.test(name);
}
