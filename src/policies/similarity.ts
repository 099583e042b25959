import { compileWasm, startWasm } from '../wasm.ts';
import { SIMILARITY_WASM } from './similarity-wasm.generated.ts';

/**
 * Dot products of a vector with each row of a matrix: for unit vectors, their cosine similarities. Valid until the
 * next call.
 */
export type Similarities = (vector: Float32Array) => Float32Array;

interface Exports {
  memory: { buffer: ArrayBuffer; grow: (pages: number) => void };
  dotProducts: (
    matrix: number,
    rows: number,
    rowSize: number,
    vector: number,
    target: number,
  ) => void;
}

const module = compileWasm(SIMILARITY_WASM);

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
/** Numbers that are computed at once. */
const LANES = 4;
const PAGE_BYTES = 65_536;

/** Takes a copy of `matrix`, `[rows, width]`, row by row. Sums in single precision. */
export function similaritiesTo(matrix: Float32Array, width: number): Similarities {
  const rows = matrix.length / width;
  const [paddedRows, paddedWidth] = [padded(rows), padded(width)];
  const vectorAt = paddedRows * paddedWidth * FLOAT_BYTES;
  const targetAt = vectorAt + paddedWidth * FLOAT_BYTES;
  const wasm = startWasm(module) as Exports;
  const bytes = targetAt + paddedRows * FLOAT_BYTES;
  wasm.memory.grow(Math.ceil(bytes / PAGE_BYTES));
  const { buffer } = wasm.memory;
  const numbers = new Float32Array(buffer, 0, paddedRows * paddedWidth);
  for (let row = 0; row < rows; row++) {
    numbers.set(matrix.subarray(row * width, (row + 1) * width), row * paddedWidth);
  }
  const input = new Float32Array(buffer, vectorAt, width);
  const output = new Float32Array(buffer, targetAt, rows);
  return (vector) => {
    input.set(vector);
    wasm.dotProducts(0, paddedRows, paddedWidth * FLOAT_BYTES, vectorAt, targetAt);
    return output;
  };
}

function padded(size: number): number {
  return Math.ceil(size / LANES) * LANES;
}
