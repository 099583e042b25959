/** Model folders for tests: small ones of known arithmetic, and the parity fixtures made complete. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageFile } from '../../src/package-files.ts';
import type { GoldenCache } from '../../src/model/golden.ts';
import { onnxModel, type Graph } from './onnx.ts';

export const PARITY = packageFile('test/fixtures/parity');

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'moderato-model-'));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Remembers nothing beyond the test. */
export function memoryGoldenCache(): GoldenCache {
  const known = new Map<string, NonNullable<Awaited<ReturnType<GoldenCache['read']>>>>();
  return {
    read: (hash) => Promise.resolve(known.get(hash) ?? null),
    write: (hash, golden) => {
      known.set(hash, golden);
      return Promise.resolve(true);
    },
  };
}

/** A copy of a parity fixture with what its export lacks. */
export async function parityFolder(name: 'tiny-clip' | 'tiny-siglip'): Promise<string> {
  const folder = join(await temporaryFolder(), name);
  await cp(join(PARITY, name), folder, { recursive: true });
  if (name === 'tiny-clip') {
    await writeJson(folder, 'moderato.json', { logit_scale: 100 });
  } else {
    await writeJson(folder, 'moderato.json', { logit_scale: 10, logit_bias: -2 });
    // The fixture's texts are given as ids: the word `t7` is token 7.
    const vocab = Object.fromEntries(Array.from({ length: 1000 }, (_, id) => [`t${id}`, id]));
    await writeJson(folder, 'tokenizer.json', {
      ...WORDS,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: null,
      model: { ...WORDS.model, vocab, unk_token: 't1' },
      padding: { strategy: { Fixed: 64 }, direction: 'Right', pad_id: 1, pad_token: 't1' },
    });
  }
  return folder;
}

const SIZE = 8;
/** Mean colour: black is a mean of -1/19 in every channel, white of 1. */
export const MEAN_COLOUR: Graph = {
  inputs: [{ name: 'pixel_values', type: 'float32', shape: ['batch', 3, SIZE, SIZE] }],
  outputs: [{ name: 'image_embeds', type: 'float32', shape: ['batch', 3] }],
  nodes: [
    {
      op: 'ReduceMean',
      inputs: ['pixel_values'],
      outputs: ['image_embeds'],
      ints: { axes: [2, 3] },
      int: { keepdims: 0 },
    },
  ],
};

/** The mean of a vector for each token. */
export const MEAN_TOKEN: Graph = {
  inputs: [{ name: 'input_ids', type: 'int64', shape: ['batch', 'length'] }],
  outputs: [{ name: 'text_embeds', type: 'float32', shape: ['batch', 3] }],
  constants: [
    {
      name: 'table',
      type: 'float32',
      shape: [8, 3],
      values: Array.from({ length: 24 }, (_, at) => Math.sin(at + 1)),
    },
  ],
  nodes: [
    { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['rows'] },
    {
      op: 'ReduceMean',
      inputs: ['rows'],
      outputs: ['text_embeds'],
      ints: { axes: [1] },
      int: { keepdims: 0 },
    },
  ],
};

const WORDS = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  decoder: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '<s>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '</s>', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '<s>': { id: '<s>', ids: [2], tokens: ['<s>'] },
      '</s>': { id: '</s>', ids: [3], tokens: ['</s>'] },
    },
  },
  model: {
    type: 'WordPiece',
    unk_token: '<unk>',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '<pad>': 0, '<unk>': 1, '<s>': 2, '</s>': 3, a: 4, cat: 5, dog: 6, photo: 7 },
  },
};

export interface FolderParts {
  config: object;
  preprocessor: object;
  tokenizerConfig: object | null;
  manifest: object | null;
  vision: Graph;
  text: Graph;
  /** More words for the tokenizer. */
  vocabulary: Record<string, number>;
}

/** A CLIP of 8 × 8 pixels and 3 dimensions whose arithmetic can be done by hand. */
export async function modelFolder(parts: Partial<FolderParts> = {}): Promise<string> {
  const folder = await temporaryFolder();
  const all: FolderParts = {
    config: { model_type: 'clip', projection_dim: 3, vision_config: { image_size: SIZE } },
    preprocessor: {
      image_processor_type: 'CLIPImageProcessor',
      size: { shortest_edge: SIZE },
      crop_size: { height: SIZE, width: SIZE },
      image_mean: [0.05, 0.05, 0.05],
      image_std: [0.95, 0.95, 0.95],
    },
    tokenizerConfig: { pad_token: '<pad>' },
    manifest: { logit_scale: 100 },
    vision: MEAN_COLOUR,
    text: MEAN_TOKEN,
    vocabulary: {},
    ...parts,
  };
  await mkdir(join(folder, 'onnx'));
  await writeJson(folder, 'config.json', all.config);
  await writeJson(folder, 'preprocessor_config.json', all.preprocessor);
  const vocab = { ...WORDS.model.vocab, ...all.vocabulary };
  await writeJson(folder, 'tokenizer.json', { ...WORDS, model: { ...WORDS.model, vocab } });
  if (all.tokenizerConfig) await writeJson(folder, 'tokenizer_config.json', all.tokenizerConfig);
  if (all.manifest) await writeJson(folder, 'moderato.json', all.manifest);
  await writeFile(join(folder, 'onnx/vision_model.onnx'), onnxModel(all.vision));
  await writeFile(join(folder, 'onnx/text_model.onnx'), onnxModel(all.text));
  return folder;
}

export async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), JSON.stringify(value));
}

export async function readJson<T>(...path: string[]): Promise<T> {
  return JSON.parse(await readFile(join(...path), 'utf8')) as T;
}
