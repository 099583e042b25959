/** Parts of ONNX graphs, for those who write them. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx.generated.ts';

/** ONNX's numbers for element types. */
export const ELEMENT = { float32: 1, uint8: 2, int64: 7, float16: 10 } as const;
const FLOAT = 1;
const INT = 2;
const INTS = 7;

/** Where a tensor's bytes lie when they are not in the graph's own file. */
export const EXTERNAL = 1;

/** An attribute's whole numbers; `{ float }` where it is none. */
export type Attributes = Record<string, number | readonly number[] | { float: number }>;

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'number') return { name, type: INT, i: BigInt(value) };
    if ('float' in value) return { name, type: FLOAT, f: value.float };
    return { name, type: INTS, ints: value.map(BigInt) };
  });
  return create(NodeProtoSchema, {
    name: output[0] ?? opType,
    opType,
    input: [...input],
    output: [...output],
    attribute,
  });
}

export function floats(name: string, dims: readonly number[], values: Float32Array): TensorProto {
  const { buffer, byteOffset, byteLength } = values;
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: ELEMENT.float32,
    rawData: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
  });
}

export function wholeNumbers(name: string, values: readonly number[]): TensorProto {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  const dims = [BigInt(values.length)];
  return create(TensorProtoSchema, { name, dims, dataType: ELEMENT.int64, rawData });
}

/** Sizes that are names are free. */
export function value(
  name: string,
  element: keyof typeof ELEMENT,
  shape: readonly (number | string)[],
): ValueInfoProto {
  const dim: MessageInitShape<typeof ValueInfoProtoSchema>['type'] = {
    tensorType: {
      elemType: ELEMENT[element],
      shape: {
        dim: shape.map((size) =>
          typeof size === 'number' ? { dimValue: BigInt(size) } : { dimParam: size },
        ),
      },
    },
  };
  return create(ValueInfoProtoSchema, { name, type: dim });
}
