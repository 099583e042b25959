/**
 * The vision towers of CLIP (Radford et al. 2021) as ONNX graphs, as transformers exports them, with RANDOM
 * weights: their speed is that of the published models, their embeddings mean nothing.
 */
import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFile } from '../src/package-files.ts';
import { onnxModel, type Constant, type GraphNode } from '../test/support/onnx.ts';

export interface VitShape {
  imageSize: number;
  patch: number;
  width: number;
  layers: number;
  heads: number;
  /** Of the hidden layer of each block's perceptron. */
  mlp: number;
  /** Of the embedding. */
  dimensions: number;
}

export const SHAPES = {
  b32: { imageSize: 224, patch: 32, width: 768, layers: 12, heads: 12, mlp: 3072, dimensions: 512 },
  b16: { imageSize: 224, patch: 16, width: 768, layers: 12, heads: 12, mlp: 3072, dimensions: 512 },
  l14: {
    imageSize: 224,
    patch: 14,
    width: 1024,
    layers: 24,
    heads: 16,
    mlp: 4096,
    dimensions: 768,
  },
} as const satisfies Record<string, VitShape>;

/** float16: weights and arithmetic; pixels and embeddings stay float32, as exporters leave them. */
export type Precision = 'float32' | 'float16';

/** Sets the values of one weight, by its name in transformers; matrices as `[in, out]`. */
export type Fill = (name: string, values: Float32Array) => void;

export interface VitModelOptions {
  shape: VitShape;
  precision: Precision;
  /** @default random values, the same in each run */
  fill?: Fill;
}

const TINY = 'test/fixtures/parity/tiny-clip';

/** Writes a model folder with this vision tower, and a text tower that is none. */
export async function writeVitModel(folder: string, options: VitModelOptions): Promise<void> {
  const { shape, precision, fill = randomFill(1) } = options;
  const graph = vitGraph(shape, precision);
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await using data = await open(join(folder, 'onnx', DATA_FILE), 'w');
  for (const { name, size } of graph.weights) {
    const values = new Float32Array(size);
    fill(name, values);
    await data.writeFile(precision === 'float16' ? Float16Array.from(values) : values);
  }
  await writeFile(join(folder, 'onnx/vision_model.onnx'), graph.model);
  await writeFile(join(folder, 'onnx/text_model.onnx'), wordGraph(shape.dimensions));
  for (const file of ['preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(packageFile(`${TINY}/${file}`), join(folder, file));
  }
  const { dimensions, imageSize } = shape;
  const config = {
    model_type: 'clip',
    projection_dim: dimensions,
    vision_config: { image_size: imageSize },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'moderato.json'), '{"logit_scale": 100}');
}

const DATA_FILE = 'vision_model.onnx_data';

interface VitGraph {
  model: Uint8Array;
  /** In the order in which they lie in the file of weights. */
  weights: readonly { name: string; size: number }[];
}

function vitGraph(shape: VitShape, precision: Precision): VitGraph {
  const { imageSize, patch, width, layers, heads, mlp, dimensions } = shape;
  const nodes: GraphNode[] = [];
  const constants: Constant[] = [];
  const weights: { name: string; size: number }[] = [];
  let offset = 0;

  const node = (
    op: string,
    inputs: readonly string[],
    rest: Omit<GraphNode, 'op' | 'inputs' | 'outputs'> = {},
    output = `${op}_${nodes.length}`,
  ): string => {
    nodes.push({ op, inputs, outputs: [output], ...rest });
    return output;
  };
  const weight = (name: string, ...sizes: number[]): string => {
    const size = sizes.reduce((product, each) => product * each, 1);
    const length = size * (precision === 'float16' ? 2 : 4);
    constants.push({
      name,
      type: precision,
      shape: sizes,
      values: { file: DATA_FILE, offset, length },
    });
    weights.push({ name, size });
    offset += length;
    return name;
  };
  const constant = (type: Constant['type'], values: number[], sizes = [values.length]): string => {
    const name = `constant_${constants.length}`;
    constants.push({ name, type, shape: sizes, values });
    return name;
  };
  const scalar = (value: number): string => constant(precision, [value], []);
  const int64s = (...values: number[]): string => constant('int64', values);
  const linear = (input: string, name: string, from: number, to: number): string =>
    node('Add', [
      node('MatMul', [input, weight(`${name}.weight`, from, to)]),
      weight(`${name}.bias`, to),
    ]);
  const layerNorm = (input: string, name: string): string =>
    node('LayerNormalization', [
      input,
      weight(`${name}.weight`, width),
      weight(`${name}.bias`, width),
    ]);
  const attention = (input: string, name: string): string => {
    const perHead = int64s(0, 0, heads, width / heads);
    const split = (of: string, perm: number[]): string =>
      node(
        'Transpose',
        [node('Reshape', [linear(input, `${name}.${of}`, width, width), perHead])],
        {
          ints: { perm },
        },
      );
    const queries = split('q_proj', [0, 2, 1, 3]);
    const keys = split('k_proj', [0, 2, 3, 1]);
    const values = split('v_proj', [0, 2, 1, 3]);
    const scores = node('Mul', [node('MatMul', [queries, keys]), scalar((width / heads) ** -0.5)]);
    const mixed = node('MatMul', [node('Softmax', [scores]), values]);
    const joined = node('Transpose', [mixed], { ints: { perm: [0, 2, 1, 3] } });
    return linear(node('Reshape', [joined, int64s(0, 0, width)]), `${name}.out_proj`, width, width);
  };
  const quickGelu = (input: string): string =>
    node('Mul', [input, node('Sigmoid', [node('Mul', [input, scalar(1.702)])])]);

  const tokens = (imageSize / patch) ** 2 + 1;
  const onType = (input: string, type: Precision, output?: string): string =>
    node('Cast', [input], { int: { to: type === 'float16' ? 10 : 1 } }, output);
  const pixels = onType('pixel_values', precision);
  const patches = node(
    'Conv',
    [pixels, weight('embeddings.patch_embedding.weight', width, 3, patch, patch)],
    { ints: { kernel_shape: [patch, patch], strides: [patch, patch] } },
  );
  const sequence = node('Transpose', [node('Reshape', [patches, int64s(0, width, -1)])], {
    ints: { perm: [0, 2, 1] },
  });
  const batch = node('Shape', ['pixel_values'], { int: { start: 0, end: 1 } });
  const classes = node('Expand', [
    weight('embeddings.class_embedding', width),
    node('Concat', [batch, int64s(1, width)], { int: { axis: 0 } }),
  ]);
  const embedded = node('Add', [
    node('Concat', [classes, sequence], { int: { axis: 1 } }),
    weight('embeddings.position_embedding.weight', tokens, width),
  ]);
  let state = layerNorm(embedded, 'pre_layrnorm');
  for (let layer = 0; layer < layers; layer++) {
    const name = `encoder.layers.${layer}`;
    const seen = layerNorm(state, `${name}.layer_norm1`);
    state = node('Add', [state, attention(seen, `${name}.self_attn`)]);
    const wide = linear(layerNorm(state, `${name}.layer_norm2`), `${name}.mlp.fc1`, width, mlp);
    state = node('Add', [state, linear(quickGelu(wide), `${name}.mlp.fc2`, mlp, width)]);
  }
  const pooled = node('Gather', [state, constant('int64', [0], [])], { int: { axis: 1 } });
  const projection = weight('visual_projection.weight', width, dimensions);
  const embedding = node('MatMul', [layerNorm(pooled, 'post_layernorm'), projection]);
  onType(embedding, 'float32', 'image_embeds');

  const model = onnxModel({
    inputs: [{ name: 'pixel_values', type: 'float32', shape: ['batch', 3, imageSize, imageSize] }],
    outputs: [{ name: 'image_embeds', type: 'float32', shape: ['batch', dimensions] }],
    nodes,
    constants,
  });
  return { model, weights };
}

/** The mean of four numbers for each token, spread over the dimensions. */
function wordGraph(dimensions: number): Uint8Array {
  const waves = (count: number): number[] =>
    Array.from({ length: count }, (_, at) => Math.sin(at + 1));
  const words = 49_408;
  return onnxModel({
    inputs: [{ name: 'input_ids', type: 'int64', shape: ['batch', 'length'] }],
    outputs: [{ name: 'text_embeds', type: 'float32', shape: ['batch', dimensions] }],
    constants: [
      { name: 'table', type: 'float32', shape: [words, 4], values: waves(words * 4) },
      { name: 'spread', type: 'float32', shape: [4, dimensions], values: waves(4 * dimensions) },
    ],
    nodes: [
      { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['rows'] },
      {
        op: 'ReduceMean',
        inputs: ['rows'],
        outputs: ['mean'],
        ints: { axes: [1] },
        int: { keepdims: 0 },
      },
      { op: 'MatMul', inputs: ['mean', 'spread'], outputs: ['text_embeds'] },
    ],
  });
}

/** Uniform, by xorshift (Marsaglia 2003); of the size that training begins with, about 0.02, gains about 1. */
function randomFill(seed: number): Fill {
  let state = seed;
  return (name, values) => {
    const mean = /norm.*\.weight$/.test(name) ? 1 : 0;
    for (let at = 0; at < values.length; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[at] = mean + (state / 2 ** 31) * 0.035;
    }
  };
}
