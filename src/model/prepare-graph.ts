/**
 * The prepared graph: an exported vision tower with what surrounds it put inside. Bytes of pixels go in, unit vectors
 * and their similarities to the prompts come out.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AppError, messageOf } from '../errors.ts';
import type { PreprocessSpec } from '../images/image-decoder.ts';
import { expectPixelInput, pickOutput, type GraphValue } from './graph-values.ts';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from './onnx.generated.ts';
import { ELEMENT, EXTERNAL, floats, node, value, wholeNumbers } from './onnx-graph.ts';

/** Raise it with every change of what `prepareGraph` writes: older files are then not read any more. */
export const BUILDER_VERSION = 1;

/** Names in the prepared graph, apart from any that an exporter gives. */
export const PREPARED = {
  /** uint8 `[batch, height, width, 3]`. */
  pixels: 'moderato.pixels',
  /** float32 `[batch, dimensions]`, of length one. */
  embeddings: 'moderato.embeddings',
  /** float32 `[batch, prompts]`, where prompts were added. */
  similarities: 'moderato.similarities',
} as const;

/**
 * Versions of ai.onnx whose operators the surroundings are written in: 7 is the first in which arithmetic broadcasts,
 * the last is the newest that the runtime knows.
 */
export const OPSETS = { first: 7, last: 26 } as const;
/** From here on the axes of a reduction are an input. */
const AXES_AS_INPUT = 18;

/** Tensors of fewer bytes stay in the graph, where shape inference looks at them. */
const WEIGHTS_BYTES = 1024;

export interface GraphSource {
  /** For messages. */
  file: string;
  /** The exported graph. */
  bytes: Uint8Array;
  /** What the prepared graph calls this file, to read its weights from. */
  location: string;
  preprocess: PreprocessSpec;
  dimensions: number | null;
}

/**
 * Puts uint8 NHWC → float NCHW, normalising and scaling to length one into the graph. Weights stay where they are: the
 * prepared graph refers to `location` for them, and to whatever other files the exported graph refers to.
 * Throws AppError `model_invalid`.
 */
export function prepareGraph(source: GraphSource): Uint8Array {
  const { file, bytes, preprocess, dimensions } = source;
  const model = parse(file, bytes);
  const { graph } = model;
  const opset = opsetOf(file, model);
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !stored.has(name));
  const types = ['float32', 'float16'];
  const input = expectPixelInput(file, inputs.map(describe), types, preprocess);
  const candidates = ['image_embeds', 'pooler_output'];
  const output = pickOutput(file, graph.output.map(describe), candidates, types, dimensions);

  referToWeights(source, graph);
  const [batch = 'batch'] = input.shape;
  const { width, height } = preprocess;
  graph.input = [
    value(PREPARED.pixels, 'uint8', [batch, height, width, 3]),
    ...graph.input.filter(({ name }) => stored.has(name)),
  ];
  graph.output = [value(PREPARED.embeddings, 'float32', [batch, output.shape[1] ?? 'dimensions'])];
  const before = normalise(graph, preprocess, input);
  const after = scaleToUnit(graph, output.name, opset);
  graph.node = [...before, ...graph.node, ...after];
  return toBinary(ModelProtoSchema, model);
}

/** Version of ai.onnx that a prepared or exported graph is written in. Throws AppError `model_invalid`. */
export function readOpset(file: string, bytes: Uint8Array): number {
  return opsetOf(file, parse(file, bytes));
}

/**
 * What has to follow the bytes of a prepared graph for it to compare with `prompts`, `[prompts, dimensions]`: of one
 * protobuf message after the other, repeated fields are joined.
 */
export function promptsPart(prompts: Float32Array, dimensions: number): Uint8Array {
  const count = prompts.length / dimensions;
  const columns = new Float32Array(prompts.length);
  for (let row = 0; row < count; row++) {
    for (let at = 0; at < dimensions; at++) {
      columns[at * count + row] = prompts[row * dimensions + at] as number;
    }
  }
  const graph = create(GraphProtoSchema, {
    initializer: [floats('moderato.prompts', [dimensions, count], columns)],
    node: [node('MatMul', [PREPARED.embeddings, 'moderato.prompts'], [PREPARED.similarities])],
    output: [value(PREPARED.similarities, 'float32', ['batch', count])],
  });
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph }));
}

function parse(file: string, bytes: Uint8Array): ModelProto & { graph: GraphProto } {
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    if (model.graph) return Object.assign(model, { graph: model.graph });
  } catch (cause) {
    throw new AppError('model_invalid', `loading ${file}: not an ONNX graph: ${messageOf(cause)}`, {
      cause,
    });
  }
  throw new AppError('model_invalid', `loading ${file}: not an ONNX graph`);
}

function opsetOf(file: string, { opsetImport }: ModelProto): number {
  const found = opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  const opset = Number(found?.version ?? 0);
  if (opset >= OPSETS.first && opset <= OPSETS.last) return opset;
  throw new AppError(
    'model_invalid',
    `loading ${file}: it is written in opset ${found ? opset : 'none'} of ai.onnx; a prepared graph takes ` +
      `${OPSETS.first} to ${OPSETS.last}. model.graph: plain runs it as it is, where the runtime can.`,
  );
}

/** Turns weights into references to the bytes that they have in the exported file. */
function referToWeights({ bytes, location }: GraphSource, graph: GraphProto): void {
  for (const tensor of graph.initializer) {
    const { rawData } = tensor;
    // A view into `bytes`, wherever the reader did not have to copy.
    if (rawData.length < WEIGHTS_BYTES || rawData.buffer !== bytes.buffer) continue;
    const offset = rawData.byteOffset - bytes.byteOffset;
    tensor.externalData = Object.entries({ location, offset, length: rawData.length }).map(
      ([key, of]) => ({ $typeName: 'onnx.StringStringEntryProto', key, value: String(of) }),
    );
    tensor.dataLocation = EXTERNAL;
    tensor.rawData = new Uint8Array();
  }
}

/** (byte × rescale − mean) / std, as one factor and one summand for each channel. */
function normalise(graph: GraphProto, spec: PreprocessSpec, input: GraphValue): NodeProto[] {
  const factor = spec.std.map((std) => spec.rescale / std);
  const summand = spec.std.map((std, channel) => -(spec.mean[channel] ?? 0) / std);
  graph.initializer.push(
    floats('moderato.factor', [3, 1, 1], Float32Array.from(factor)),
    floats('moderato.summand', [3, 1, 1], Float32Array.from(summand)),
  );
  const half = input.type === 'float16';
  const normal = half ? 'moderato.normal' : input.name;
  return [
    node('Transpose', [PREPARED.pixels], ['moderato.planes'], { perm: [0, 3, 1, 2] }),
    node('Cast', ['moderato.planes'], ['moderato.numbers'], { to: ELEMENT.float32 }),
    node('Mul', ['moderato.numbers', 'moderato.factor'], ['moderato.scaled']),
    node('Add', ['moderato.scaled', 'moderato.summand'], [normal]),
    ...(half ? [node('Cast', [normal], [input.name], { to: ELEMENT.float16 })] : []),
  ];
}

function scaleToUnit(graph: GraphProto, output: string, opset: number): NodeProto[] {
  const numbers = 'moderato.output';
  const length = 'moderato.length';
  const asInput = opset >= AXES_AS_INPUT;
  if (asInput) graph.initializer.push(wholeNumbers('moderato.axes', [1]));
  return [
    node('Cast', [output], [numbers], { to: ELEMENT.float32 }),
    asInput
      ? node('ReduceL2', [numbers, 'moderato.axes'], [length], { keepdims: 1 })
      : node('ReduceL2', [numbers], [length], { keepdims: 1, axes: [1] }),
    node('Div', [numbers, length], [PREPARED.embeddings]),
  ];
}

const TYPE_NAMES = new Map<number, string>(
  Object.entries(ELEMENT).map(([name, number]) => [number, name]),
);

function describe({ name, type }: ValueInfoProto): GraphValue {
  const { elemType = 0, shape } = type?.tensorType ?? {};
  return {
    name,
    type: TYPE_NAMES.get(elemType) ?? `element type ${elemType}`,
    shape: (shape?.dim ?? []).map(({ dimParam, dimValue }, axis) =>
      dimParam !== '' || dimValue === 0n ? dimParam || `axis ${axis}` : Number(dimValue),
    ),
  };
}
