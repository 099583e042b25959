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
    if (!Number.isFinite(length) || length === 0) {
      throw new AppError(
        'inference_failed',
        `reading embedding ${row + 1} of ${count}: the model answered ${length === 0 ? 'zeros' : 'numbers that are not finite'}`,
      );
    }
    for (let at = 0; at < dimensions; at++) vector[at] = (vector[at] ?? 0) / length;
  }
  return values;
}
