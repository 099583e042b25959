import { AppError } from '../errors.ts';
import type { ModelFolder } from './model-folder.ts';
import {
  openPreparedTower,
  openVisionTower,
  type ByteBatch,
  type Encoded,
  type PreparedTower,
  type RuntimeOptions,
} from './ort-session.ts';
import { createPixelTensor } from './pixel-tensor.ts';
import { promptsPart } from './prepare-graph.ts';
import { preparedGraph } from './prepared-graphs.ts';

/** The vision tower with what surrounds it, inside the graph or outside. */
export interface VisionEncoder {
  encode(batch: ByteBatch): Promise<Encoded>;
  /** From now on similarities to `prompts`, `[prompts, dimensions]`, are answered, where the graph can hold them. */
  usePrompts(prompts: Float32Array, dimensions: number): Promise<void>;
  release(): Promise<void>;
}

export interface VisionOptions {
  model: ModelFolder;
  runtime: RuntimeOptions;
  /** `prepared`: what surrounds the tower is part of the graph; `plain`: the graph is as it was exported. */
  graph: 'prepared' | 'plain';
  /** Where prepared graphs are kept. */
  preparedFolder: string;
  /** Images that memory is set aside for. */
  maxBatchSize: number;
}

/** Throws AppError `provider_unavailable` or `model_invalid`. */
export async function openVisionEncoder(options: VisionOptions): Promise<VisionEncoder> {
  return options.graph === 'plain' ? await openPlain(options) : await openPrepared(options);
}

async function openPlain({ model, runtime, maxBatchSize }: VisionOptions): Promise<VisionEncoder> {
  const tensor = createPixelTensor(model.preprocess, maxBatchSize);
  const tower = await openVisionTower(model, runtime);
  return {
    encode: async ({ bytes, count }) => {
      const pixels = tensor.fill(bytes, count);
      return { embeddings: await tower.run({ pixels, count }), similarities: null };
    },
    usePrompts: () => Promise.resolve(),
    release: () => tower.release(),
  };
}

async function openPrepared(options: VisionOptions): Promise<VisionEncoder> {
  const { model, runtime, preparedFolder } = options;
  const file = model.graphs.vision;
  const { bytes, weights } = await preparedGraph(model, preparedFolder);
  const open = (graph: Uint8Array): Promise<PreparedTower> =>
    openPreparedTower({ bytes: graph, folder: weights, file }, model.preprocess, runtime);
  let tower = await open(bytes);
  return {
    encode: (batch) => tower.run(batch),
    usePrompts: async (prompts, dimensions) => {
      const previous = tower;
      tower = NO_TOWER;
      // One after the other, so that the weights are in memory once.
      await previous.release();
      const part = prompts.length === 0 ? [] : [promptsPart(prompts, dimensions)];
      tower = await open(Buffer.concat([bytes, ...part]));
    },
    release: () => tower.release(),
  };
}

/** Between two towers, and after one that could not be opened. */
const NO_TOWER: PreparedTower = {
  run: () => Promise.reject(new AppError('encoder_failed', 'encoding: the graph is not loaded')),
  release: () => Promise.resolve(),
};
