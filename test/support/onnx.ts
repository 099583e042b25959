/**
 * Writes small ONNX graphs, so that a test can have a model of any shape: the protobuf encoding of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, as far as these graphs need it.
 */
type Dimension = string | number;

export interface GraphValue {
  name: string;
  type: 'float32' | 'int64' | 'float16';
  shape: readonly Dimension[];
}

export interface GraphNode {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  ints?: Record<string, readonly number[]>;
  int?: Record<string, number>;
}

export interface Constant {
  name: string;
  type: 'float32' | 'int64' | 'float16';
  shape: readonly number[];
  /** The numbers themselves, or the bytes of a file beside the graph that hold them. */
  values: readonly number[] | { file: string; offset: number; length: number };
}

export interface Graph {
  inputs: readonly GraphValue[];
  outputs: readonly GraphValue[];
  nodes: readonly GraphNode[];
  constants?: readonly Constant[];
}

const TYPES = { float32: 1, int64: 7, float16: 10 } as const;

/** `version`: of ai.onnx, whose operators the nodes are. */
export function onnxModel(graph: Graph, version = 17): Buffer {
  const { inputs, outputs, nodes, constants = [] } = graph;
  const body = message([
    ...nodes.map((node) => field(1, nodeProto(node))),
    field(2, text('test')),
    ...constants.map((constant) => field(5, tensorProto(constant))),
    ...inputs.map((value) => field(11, valueProto(value))),
    ...outputs.map((value) => field(12, valueProto(value))),
  ]);
  const opset = message([field(1, text('')), number(2, version)]);
  return message([number(1, 8), field(7, body), field(8, opset)]);
}

function nodeProto({ op, inputs, outputs, ints = {}, int = {} }: GraphNode): Buffer {
  return message([
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(op)),
    ...Object.entries(int).map(([name, value]) =>
      field(5, message([field(1, text(name)), number(3, value), number(20, 2)])),
    ),
    ...Object.entries(ints).map(([name, values]) =>
      field(
        5,
        message([field(1, text(name)), ...values.map((value) => number(8, value)), number(20, 7)]),
      ),
    ),
  ]);
}

function tensorProto({ name, type, shape, values }: Constant): Buffer {
  return message([
    ...shape.map((size) => number(1, size)),
    number(2, TYPES[type]),
    field(8, text(name)),
    ...('file' in values
      ? [
          ...Object.entries({
            location: values.file,
            offset: values.offset,
            length: values.length,
          }).map(([key, value]) =>
            field(13, message([field(1, text(key)), field(2, text(`${value}`))])),
          ),
          number(14, 1),
        ]
      : [field(9, raw(type, values))]),
  ]);
}

function raw(type: Constant['type'], values: readonly number[]): Buffer {
  if (type === 'int64') return Buffer.from(BigInt64Array.from(values, BigInt).buffer);
  const floats = type === 'float16' ? Float16Array : Float32Array;
  return Buffer.from(floats.from(values).buffer);
}

function valueProto({ name, type, shape }: GraphValue): Buffer {
  const dimensions = shape.map((size) =>
    field(1, typeof size === 'number' ? number(1, size) : field(2, text(size))),
  );
  const tensor = message([number(1, TYPES[type]), field(2, message(dimensions))]);
  return message([field(1, text(name)), field(2, field(1, tensor))]);
}

const text = (value: string): Buffer => Buffer.from(value, 'utf8');
const message = (parts: readonly Buffer[]): Buffer => Buffer.concat(parts);
const number = (tag: number, value: number): Buffer =>
  Buffer.concat([varint(tag << 3), varint(value)]);
const field = (tag: number, body: Buffer): Buffer =>
  Buffer.concat([varint((tag << 3) | 2), varint(body.length), body]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
