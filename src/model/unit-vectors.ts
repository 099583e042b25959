import { AppError } from '../errors.ts';

/**
 * Scales each of `count` rows to Euclidean length 1, in place; some graphs already do.
 * Throws AppError `inference_failed` when a row is not finite or has no direction.
 */
export function normalizeRows(values: Float32Array, count: number): Float32Array {
  const dimensions = values.length / count;
  for (let row = 0; row < count; row++) {
    const vector = values.subarray(row * dimensions, (row + 1) * dimensions);
    let sum = 0;
    for (const value of vector) sum += value * value;
    const length = Math.sqrt(sum);
    if (!Number.isFinite(length) || length === 0) throw unusable(row, count);
    for (let at = 0; at < dimensions; at++) vector[at] = (vector[at] ?? 0) / length;
  }
  return values;
}

/** Throws AppError `inference_failed` unless each of `count` rows has length 1. */
export function expectUnitRows(values: Float32Array, count: number): void {
  const dimensions = values.length / count;
  for (let row = 0; row < count; row++) {
    let sum = 0;
    for (let at = row * dimensions; at < (row + 1) * dimensions; at++) {
      const value = values[at] as number;
      sum += value * value;
    }
    // Written so that NaN fails: zeros divided by their length are that.
    if (!(Math.abs(sum - 1) < 1e-3)) throw unusable(row, count);
  }
}

function unusable(row: number, count: number): AppError {
  return new AppError(
    'inference_failed',
    `reading embedding ${row + 1} of ${count}: the model answered zeros or numbers that are not finite`,
  );
}

/** Of vectors of equal length; sums in double precision. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}
