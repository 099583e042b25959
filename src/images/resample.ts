import type { Axis, Geometry } from './geometry.ts';
import type { Pixels, PreprocessSpec } from './image-decoder.ts';

/** A filter as a function of the distance to the sample, zero beyond `support`. */
interface Filter {
  support: number;
  weight: (distance: number) => number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The filters of Pillow's `Resample.c`; its bicubic is Keys' with a = -0.5 (Catmull-Rom). */
const FILTERS: Record<Exclude<PreprocessSpec['kernel'], 'nearest'>, Filter> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (distance) => {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Fixed-point bits of a weight, as in Pillow: 32 less 8 of the sample and 2 for overshoot. */
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

/** What each kept sample of an axis is made of: `count` input samples from `start`, weighted. */
interface Taps {
  start: Int32Array;
  count: Int32Array;
  /** `stride` weights for each kept sample, scaled by 2^PRECISION. */
  weights: Int32Array;
  stride: number;
}

/** A part of an axis, in input samples. */
export interface Span {
  start: number;
  length: number;
}

/** A part of the image at hand: the pixels of these spans. */
export interface Region {
  horizontal: Span;
  vertical: Span;
}

/** The part of the image that the kept part of the pixels is made of. */
export function regionOf(geometry: Geometry, kernel: PreprocessSpec['kernel']): Region {
  const span = (axis: Axis): Span => {
    const { start, count } = tapsOf(axis, kernel);
    const last = axis.length - 1;
    const from = start[0] as number;
    return { start: from, length: (start[last] as number) + (count[last] as number) - from };
  };
  return { horizontal: span(geometry.horizontal), vertical: span(geometry.vertical) };
}

/**
 * Resizes and crops exactly as Pillow does (`ImagingResample`: antialiased, separable, horizontal first,
 * 22-bit weights, 8 bits between the passes), computing only the part that is kept. `input` holds the
 * pixels of `region`; what comes back is `[vertical.length, horizontal.length, 3]`, without the padding.
 */
export function resample(
  input: Uint8Array,
  region: Region,
  geometry: Geometry,
  kernel: PreprocessSpec['kernel'],
): Pixels {
  const { horizontal, vertical } = geometry;
  const narrow = resampleRows(input, region, tapsOf(horizontal, kernel));
  const columns = tapsOf(vertical, kernel);
  const data = resampleColumns(narrow, horizontal.length * 3, region.vertical.start, columns);
  return { data, width: horizontal.length, height: vertical.length };
}

function tapsOf(axis: Axis, kernel: PreprocessSpec['kernel']): Taps {
  const { input, target, offset, length } = axis;
  const scale = input / target;
  if (kernel === 'nearest') {
    return {
      start: Int32Array.from({ length }, (_, out) => Math.trunc((out + offset + 0.5) * scale)),
      count: new Int32Array(length).fill(1),
      weights: new Int32Array(length).fill(1 << PRECISION),
      stride: 1,
    };
  }
  const filter = FILTERS[kernel];
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  for (let out = 0; out < length; out++) {
    const centre = (out + offset + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(input, Math.trunc(centre + support + 0.5));
    const row = Array.from({ length: end - first }, (_, tap) =>
      filter.weight((first + tap - centre + 0.5) / stretch),
    );
    const sum = row.reduce((total, weight) => total + weight, 0);
    row.forEach((weight, tap) => {
      const value = (weight / sum) * (1 << PRECISION);
      weights[out * stride + tap] = Math.trunc(value + (value < 0 ? -0.5 : 0.5));
    });
    start[out] = first;
    count[out] = row.length;
  }
  return { start, count, weights, stride };
}

/** `Uint8ClampedArray` clamps as Pillow's `clip8` does; Math.imul keeps the sums in 32-bit integers. */
function resampleRows(source: Uint8Array, region: Region, taps: Taps): Uint8ClampedArray {
  const { start, count, weights, stride } = taps;
  const rows = region.vertical.length;
  const output = new Uint8ClampedArray(rows * start.length * 3);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const base = row * region.horizontal.length - region.horizontal.start;
    for (let out = 0; out < start.length; out++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = (base + (start[out] as number)) * 3;
      let k = out * stride;
      for (const end = k + (count[out] as number); k < end; k++, from += 3) {
        const weight = weights[k] as number;
        red = (red + Math.imul(source[from] as number, weight)) | 0;
        green = (green + Math.imul(source[from + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2] as number, weight)) | 0;
      }
      output[to++] = red >> PRECISION;
      output[to++] = green >> PRECISION;
      output[to++] = blue >> PRECISION;
    }
  }
  return output;
}

function resampleColumns(
  source: Uint8ClampedArray,
  width: number,
  firstRow: number,
  taps: Taps,
): Uint8Array {
  const { start, count, weights, stride } = taps;
  const output = new Uint8ClampedArray(start.length * width);
  const sums = new Int32Array(width);
  for (let out = 0; out < start.length; out++) {
    sums.fill(HALF);
    for (let tap = 0; tap < (count[out] as number); tap++) {
      const weight = weights[out * stride + tap] as number;
      const from = ((start[out] as number) - firstRow + tap) * width;
      for (let x = 0; x < width; x++) {
        sums[x] = ((sums[x] as number) + Math.imul(source[from + x] as number, weight)) | 0;
      }
    }
    const to = out * width;
    for (let x = 0; x < width; x++) output[to + x] = (sums[x] as number) >> PRECISION;
  }
  return new Uint8Array(output.buffer);
}
