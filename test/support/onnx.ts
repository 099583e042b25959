/** Writes small ONNX graphs, so that a test can have a model of any shape. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  ModelProtoSchema,
  TensorProtoSchema,
  type TensorProto,
} from '../../src/model/onnx.generated.ts';
import { ELEMENT, EXTERNAL, node, value } from '../../src/model/onnx-graph.ts';

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

/** `version`: of ai.onnx, whose operators the nodes are. */
export function onnxModel(graph: Graph, version = 17): Uint8Array {
  const { inputs, outputs, nodes, constants = [] } = graph;
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: BigInt(version) }],
    graph: {
      name: 'test',
      node: nodes.map(({ op, inputs, outputs, int, ints }) =>
        node(op, inputs, outputs, { ...int, ...ints }),
      ),
      initializer: constants.map(tensor),
      input: inputs.map(({ name, type, shape }) => value(name, type, shape)),
      output: outputs.map(({ name, type, shape }) => value(name, type, shape)),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function tensor({ name, type, shape, values }: Constant): TensorProto {
  const head = { name, dims: shape.map(BigInt), dataType: ELEMENT[type] };
  if (!('file' in values))
    return create(TensorProtoSchema, { ...head, rawData: raw(type, values) });
  const { file, offset, length } = values;
  const place = { location: file, offset: `${offset}`, length: `${length}` };
  return create(TensorProtoSchema, {
    ...head,
    dataLocation: EXTERNAL,
    externalData: Object.entries(place).map(([key, value]) => ({ key, value })),
  });
}

function raw(type: Constant['type'], values: readonly number[]): Uint8Array {
  if (type === 'int64') return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  const floats = type === 'float16' ? Float16Array : Float32Array;
  return new Uint8Array(floats.from(values).buffer);
}
