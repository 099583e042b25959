import { LRUCache } from 'lru-cache';

import { compileWasm, startWasm } from '../wasm.ts';
import type { Axis, Geometry } from './geometry.ts';
import type { Pixels, PreprocessSpec } from './image-decoder.ts';
import { RESAMPLE_WASM } from './resample-wasm.generated.ts';

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
/** Of these, the bits of the lower half that resample.wat takes apart. */
const LOW_BITS = 11;
/** Bytes that resample.wat may touch beyond what it is given. */
const SLACK = 16;

/** What each kept sample of an axis is made of: `count` input samples from `start`, weighted. */
interface Taps {
  start: Int32Array;
  count: Int32Array;
  /** `stride` weights for each kept sample, scaled by 2^PRECISION. */
  weights: Int32Array;
  stride: number;
}

/** For images of the same sizes; most plans take 20 kB, the largest some 100. */
const plans = new LRUCache<string, Resampling>({ max: 64 });

/** A part of an axis, in input samples. */
export interface Span {
  start: number;
  length: number;
}

export interface Resampling {
  /** The part of the image that the kept part of the pixels is made of. */
  horizontal: Span;
  vertical: Span;
  /**
   * `input` holds the pixels of that part: `[vertical.length, horizontal.length, 3]`. What comes back is the
   * kept part of the geometry, without its padding.
   */
  run: (input: Uint8Array) => Pixels;
}

const wasm = startWasm(compileWasm(RESAMPLE_WASM)) as {
  memory: { buffer: ArrayBuffer; grow: (pages: number) => void };
  resampleRows: (...parameters: number[]) => void;
  resampleColumns: (...parameters: number[]) => void;
};

/**
 * Prepares a resize and crop that give exactly the bytes of Pillow's `ImagingResample` (antialiased,
 * separable, horizontal first, 22-bit weights, 8 bits between the passes), computing only what is kept.
 */
export function planResampling(geometry: Geometry, kernel: PreprocessSpec['kernel']): Resampling {
  const key = JSON.stringify([kernel, geometry.horizontal, geometry.vertical]);
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan = prepare(geometry, kernel);
  plans.set(key, plan);
  return plan;
}

function prepare(geometry: Geometry, kernel: PreprocessSpec['kernel']): Resampling {
  const columnTaps = tapsOf(geometry.horizontal, kernel);
  const rowTaps = tapsOf(geometry.vertical, kernel);
  const horizontal = spanOf(columnTaps);
  const vertical = spanOf(rowTaps);
  const across = recordsOf(columnTaps, horizontal.start, 4, 3);
  const down = recordsOf(rowTaps, vertical.start, 2, 1);
  const width = geometry.horizontal.length;
  const height = geometry.vertical.length;
  const rowSize = width * 3;
  return {
    horizontal,
    vertical,
    run: (input) => {
      const at = layOut([
        across.bytes.length,
        down.bytes.length,
        input.length,
        (vertical.length + 1) * rowSize,
        height * rowSize,
      ]);
      const [acrossAt, downAt, inputAt, narrowAt, outputAt] = at;
      const memory = new Uint8Array(wasm.memory.buffer);
      memory.set(across.bytes, acrossAt);
      memory.set(down.bytes, downAt);
      memory.set(input, inputAt);
      const from = [inputAt, horizontal.length * 3, vertical.length];
      wasm.resampleRows(...from, narrowAt, width, acrossAt, across.recordSize);
      wasm.resampleColumns(narrowAt, rowSize, outputAt, height, downAt, down.recordSize);
      return { data: memory.slice(outputAt, outputAt + height * rowSize), width, height };
    },
  };
}

type Five = [number, number, number, number, number];

/** Offsets of five regions of the memory, which grows to hold them. */
function layOut(sizes: Five): Five {
  let end = 0;
  const offsets = sizes.map((size) => {
    const offset = end;
    end = Math.ceil((end + size + SLACK) / 16) * 16;
    return offset;
  }) as Five;
  const missing = end - wasm.memory.buffer.byteLength;
  if (missing > 0) wasm.memory.grow(Math.ceil(missing / 65_536));
  return offsets;
}

function spanOf({ start, count }: Taps): Span {
  const last = start.length - 1;
  const first = start[0] as number;
  return { start: first, length: (start[last] as number) + (count[last] as number) - first };
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
  const { support: radius, weight } = FILTERS[kernel];
  const stretch = Math.max(scale, 1);
  const support = radius * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  const row = new Float64Array(stride);
  for (let out = 0; out < length; out++) {
    const centre = (out + offset + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const taps = Math.min(input, Math.trunc(centre + support + 0.5)) - first;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      sum += row[tap] = weight((first + tap - centre + 0.5) / stretch);
    }
    for (let tap = 0; tap < taps; tap++) {
      const value = ((row[tap] as number) / sum) * (1 << PRECISION);
      weights[out * stride + tap] = Math.trunc(value + (value < 0 ? -0.5 : 0.5));
    }
    start[out] = first;
    count[out] = taps;
  }
  return { start, count, weights, stride };
}

/** The taps as resample.wat reads them, counted from `origin`, with `groupSize` weights in a group. */
function recordsOf(taps: Taps, origin: number, groupSize: 4 | 2, startUnit: number) {
  const recordSize = 8 + Math.ceil(taps.stride / groupSize) * groupSize * 4;
  const bytes = new Uint8Array(recordSize * taps.start.length);
  const view = new DataView(bytes.buffer);
  taps.start.forEach((start, out) => {
    const record = out * recordSize;
    const count = taps.count[out] as number;
    view.setInt32(record, (start - origin) * startUnit, true);
    view.setInt32(record + 4, Math.ceil(count / groupSize), true);
    for (let tap = 0; tap < count; tap++) {
      const weight = taps.weights[out * taps.stride + tap] as number;
      const group = record + 8 + Math.trunc(tap / groupSize) * groupSize * 4;
      const high = group + (tap % groupSize) * 2;
      view.setInt16(high, weight >> LOW_BITS, true);
      view.setInt16(high + groupSize * 2, weight & ((1 << LOW_BITS) - 1), true);
    }
  });
  return { bytes, recordSize };
}
