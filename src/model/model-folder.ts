import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import type { PreprocessSpec } from '../images/image-decoder.ts';
import { preprocessingVersion } from '../images/preprocessing-version.ts';
import type { Scoring } from './clip-encoder.ts';
import { goldenFromManifest, type Golden } from './golden.ts';
import { hashFile, isMissing, readJsonFile, type ModelFile } from './model-files.ts';
import {
  manifestSchema,
  modelConfigSchema,
  type Family,
  type Manifest,
  type ModelConfig,
} from './model-manifest.ts';
import { chooseGraphs, isGraphFile, type GraphNames, type Precision } from './precision.ts';
import { preprocessorSchema, toPreprocessSpec } from './preprocess-spec.ts';
import { toScoring } from './scoring.ts';

/** How texts become token ids. */
export interface TextSpec {
  /** Tokens, the special ones included; longer texts are cut. */
  maxLength: number;
  padTo: 'longest' | 'max';
  /** Null: the tokenizer's own files decide. */
  padId: number | null;
  /** What `config.json` pads with, where no file of the tokenizer says. */
  fallbackPadId: number | null;
  lowercase: boolean;
}

/** A model on disk, read and verified, and nothing loaded yet. Plain data: it is posted to the worker. */
export interface ModelFolder {
  path: string;
  id: string;
  /** SHA-256 over names and hashes of every file that matters: the model's identity. */
  hash: string;
  files: readonly ModelFile[];
  family: Family;
  preprocess: PreprocessSpec;
  preprocessing: string;
  scoring: Scoring;
  text: TextSpec;
  /** Absolute paths of the two towers. */
  graphs: GraphNames;
  precision: Precision;
  /** What `config.json` promises; null where it is silent. */
  dimensions: number | null;
  golden: Golden | null;
}

const FAMILIES: Partial<Record<string, Family>> = { clip: 'clip', siglip: 'siglip' };
/** `max_position_embeddings` of the configuration classes, which their files leave out. */
const DEFAULT_MAX_LENGTH = { clip: 77, siglip: 64 } as const;
const OPTIONAL_FILES = ['tokenizer_config.json', 'moderato.json'];

/**
 * Reads a model folder in the Hugging Face layout, with the graphs of this precision, and verifies every hash that its `moderato.json` gives.
 * Throws AppError `model_not_found`, `model_invalid` or `model_corrupt`, naming the file.
 */
export async function readModelFolder(
  folder: string,
  precision: Precision = 'fp32',
): Promise<ModelFolder> {
  const path = resolve(folder);
  const manifest = (await readJsonFile(path, 'moderato.json', manifestSchema)) ?? {};
  const graphs = await chooseGraphs(path, manifest, precision);
  const files = await listFiles(path, graphs);
  verify(path, files, manifest);

  const config = await required(path, 'config.json', modelConfigSchema);
  const preprocessor = await required(path, 'preprocessor_config.json', preprocessorSchema);
  const family = FAMILIES[config.model_type];
  if (family === undefined) {
    throw new AppError(
      'model_invalid',
      `reading ${join(path, 'config.json')}: model_type is ${config.model_type}; known are ${Object.keys(FAMILIES).join(', ')}`,
    );
  }
  const preprocess = toPreprocessSpec(preprocessor, join(path, 'preprocessor_config.json'));
  checkImageSize(path, config, preprocess);
  return {
    path,
    id: manifest.name ?? basename(path),
    hash: identity(files),
    files,
    family,
    preprocess,
    preprocessing: preprocessingVersion(preprocess),
    scoring: toScoring(family, config, manifest, path),
    text: textSpec(family, config, manifest),
    graphs: { vision: join(path, graphs.vision), text: join(path, graphs.text) },
    precision,
    dimensions: config.projection_dim ?? null,
    golden: goldenFromManifest(manifest),
  };
}

async function listFiles(path: string, graphs: GraphNames): Promise<ModelFile[]> {
  const required = [
    'config.json',
    'preprocessor_config.json',
    'tokenizer.json',
    graphs.vision,
    graphs.text,
  ];
  // Graphs over 2 GB keep their weights in a second file beside them.
  const optional = [...OPTIONAL_FILES, `${graphs.vision}_data`, `${graphs.text}_data`];
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const files: ModelFile[] = [];
  const missing: string[] = isFolder ? [] : ['the folder itself'];
  for (const name of isFolder ? [...required, ...optional].sort() : []) {
    try {
      files.push({ name, ...(await hashFile(join(path, name))) });
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (required.includes(name)) missing.push(name);
    }
  }
  if (missing.length === 0) return files;
  throw new AppError(
    'model_not_found',
    `reading model folder ${path}: missing ${missing.join(', ')}. Expected ${required.join(', ')} ` +
      'and, optionally, tokenizer_config.json and moderato.json (see docs/models.md).',
  );
}

function verify(path: string, files: readonly ModelFile[], manifest: Manifest): void {
  for (const [name, expected] of Object.entries(manifest.files ?? {})) {
    const found = files.find((file) => file.name === name);
    if (!found && isGraphFile(name)) continue; // of another precision
    if (!found) {
      throw new AppError(
        'model_corrupt',
        `verifying ${path}: moderato.json lists ${name}, which is not there or not part of the model`,
      );
    }
    if (found.sha256 !== expected.sha256 || found.bytes !== expected.bytes) {
      throw new AppError(
        'model_corrupt',
        `verifying ${join(path, name)}: it has ${found.bytes} bytes and SHA-256 ${found.sha256}, moderato.json ` +
          `says ${expected.bytes} and ${expected.sha256}. Fetch the model again, or remove the entry if you changed the file.`,
      );
    }
  }
}

async function required<T>(
  path: string,
  name: string,
  schema: Parameters<typeof readJsonFile<T>>[2],
): Promise<T> {
  const value = await readJsonFile(path, name, schema);
  if (value !== null) return value;
  throw new AppError('model_not_found', `reading ${join(path, name)}: it is gone`);
}

function checkImageSize(path: string, config: ModelConfig, spec: PreprocessSpec): void {
  const size = config.vision_config?.image_size;
  if (size === undefined || (spec.width === size && spec.height === size)) return;
  throw new AppError(
    'model_invalid',
    `reading ${path}: config.json says images are ${size}×${size}, preprocessor_config.json makes them ` +
      `${spec.width}×${spec.height}; one of the two belongs to another model`,
  );
}

function textSpec(family: Family, config: ModelConfig, manifest: Manifest): TextSpec {
  const { text } = manifest;
  const padTo = text?.pad_to ?? (family === 'clip' ? 'longest' : 'max_length');
  return {
    maxLength:
      text?.max_length ?? config.text_config?.max_position_embeddings ?? DEFAULT_MAX_LENGTH[family],
    padTo: padTo === 'longest' ? 'longest' : 'max',
    padId: text?.pad_token_id ?? null,
    fallbackPadId: config.text_config?.pad_token_id ?? null,
    lowercase: text?.lowercase ?? false,
  };
}

function identity(files: readonly ModelFile[]): string {
  const hash = createHash('sha256');
  for (const { name, sha256 } of files) hash.update(`${name}\0${sha256}\n`);
  return hash.digest('hex');
}
