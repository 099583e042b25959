import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, type NodeProto, type TensorProto } from '../src/model/onnx.generated.ts';
import { floats, node, value, wholeNumbers, type Attributes } from '../src/model/onnx-graph.ts';
import { packageFile } from '../src/package-files.ts';

/** CLIP's ViT-B/32 (Radford et al. 2021, table 20; Dosovitskiy et al. 2020). */
const VIT = { width: 768, heads: 12, patch: 32, image: 224, projection: 512 };
const LAYERS = 12;
const TOKENS = (VIT.image / VIT.patch) ** 2 + 1;
const HEAD = VIT.width / VIT.heads;

/**
 * A model folder whose vision tower is a ViT-B/32 with random weights: as fast as the real one, and meaningless. Its
 * text tower is another, tiny model's, of other dimensions. With fewer layers it is sooner over.
 */
export async function prepareVitModel(folder: string, layers = LAYERS): Promise<string> {
  const model = join(folder, `random-vit-b-32-${layers}`);
  await cp(packageFile('test/fixtures/parity/tiny-clip'), model, { recursive: true });
  await writeFile(join(model, 'moderato.json'), '{"logit_scale": 100}');
  const config = JSON.parse(await readFile(join(model, 'config.json'), 'utf8')) as object;
  await writeFile(
    join(model, 'config.json'),
    JSON.stringify({ ...config, projection_dim: undefined }),
  );
  await writeFile(join(model, 'onnx/vision_model.onnx'), visionGraph(layers));
  return model;
}

function visionGraph(layers: number): Uint8Array {
  const graph = new Graph();
  const { width, patch, image, projection } = VIT;
  const patches = graph.op('Conv', ['pixel_values', graph.weight([width, 3, patch, patch])], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  const flat = graph.op('Reshape', [patches, graph.whole([0, width, TOKENS - 1])]);
  const rows = graph.op('Transpose', [flat], { perm: [0, 2, 1] });
  const batch = graph.op('Gather', [graph.op('Shape', [rows]), graph.whole([0])]);
  const size = graph.op('Concat', [batch, graph.whole([1, width])], { axis: 0 });
  const first = graph.op('Expand', [graph.weight([1, 1, width]), size]);
  const tokens = graph.op('Concat', [first, rows], { axis: 1 });
  let state = graph.norm(graph.op('Add', [tokens, graph.weight([1, TOKENS, width])]));
  for (let layer = 0; layer < layers; layer++) {
    state = graph.op('Add', [state, attention(graph, graph.norm(state))]);
    state = graph.op('Add', [state, perceptron(graph, graph.norm(state))]);
  }
  const pooled = graph.op('Gather', [state, graph.whole([0])], { axis: 1 });
  const vector = graph.norm(graph.op('Reshape', [pooled, graph.whole([-1, width])]));
  graph.nodes.push(node('MatMul', [vector, graph.weight([width, projection])], ['image_embeds']));
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'random ViT-B/32',
      node: graph.nodes,
      initializer: graph.tensors,
      input: [value('pixel_values', 'float32', ['batch', 3, image, image])],
      output: [value('image_embeds', 'float32', ['batch', projection])],
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function attention(graph: Graph, input: string): string {
  const part = (perm: number[]): string => {
    const heads = graph.whole([0, TOKENS, VIT.heads, HEAD]);
    return graph.op(
      'Transpose',
      [graph.op('Reshape', [graph.linear(input, VIT.width, VIT.width), heads])],
      {
        perm,
      },
    );
  };
  const scale = graph.constant([1], HEAD ** -0.5);
  const query = graph.op('Mul', [part([0, 2, 1, 3]), scale]);
  const weights = graph.op('Softmax', [graph.op('MatMul', [query, part([0, 2, 3, 1])])], {
    axis: -1,
  });
  const mixed = graph.op('MatMul', [weights, part([0, 2, 1, 3])]);
  const joined = graph.op('Reshape', [
    graph.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
    graph.whole([0, TOKENS, VIT.width]),
  ]);
  return graph.linear(joined, VIT.width, VIT.width);
}

function perceptron(graph: Graph, input: string): string {
  const wide = graph.linear(input, VIT.width, 4 * VIT.width);
  const gate = graph.op('Sigmoid', [graph.op('Mul', [wide, graph.constant([1], 1.702)])]);
  return graph.linear(graph.op('Mul', [wide, gate]), 4 * VIT.width, VIT.width);
}

/** Collects nodes and tensors under names of their own. */
class Graph {
  readonly nodes: NodeProto[] = [];
  readonly tensors: TensorProto[] = [];
  #seed = 1;

  op(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const output = `${type}_${this.nodes.length}`;
    this.nodes.push(node(type, inputs, [output], attributes));
    return output;
  }

  linear(input: string, from: number, to: number): string {
    const product = this.op('MatMul', [input, this.weight([from, to])]);
    return this.op('Add', [product, this.weight([to])]);
  }

  norm(input: string): string {
    const { width } = VIT;
    return this.op('LayerNormalization', [input, this.constant([width], 1), this.weight([width])], {
      axis: -1,
      epsilon: { float: 1e-5 },
    });
  }

  /** Numbers about zero, as small as those that training begins with. */
  weight(shape: readonly number[]): string {
    const values = new Float32Array(shape.reduce((a, b) => a * b));
    for (let at = 0; at < values.length; at++) {
      this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
      values[at] = (this.#seed / 2 ** 31) * 0.035;
    }
    return this.#keep((name) => floats(name, shape, values));
  }

  constant(shape: readonly number[], all: number): string {
    const size = shape.reduce((a, b) => a * b);
    return this.#keep((name) => floats(name, shape, new Float32Array(size).fill(all)));
  }

  whole(values: readonly number[]): string {
    return this.#keep((name) => wholeNumbers(name, values));
  }

  #keep(make: (name: string) => TensorProto): string {
    const name = `tensor_${this.tensors.length}`;
    this.tensors.push(make(name));
    return name;
  }
}
