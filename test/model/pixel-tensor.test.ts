import { expect, it } from '@jest/globals';
import { createPixelTensor } from '../../src/model/pixel-tensor.ts';
import { normalizeRows } from '../../src/model/unit-vectors.ts';

const spec = {
  mode: 'squash',
  resizeTo: 2,
  width: 2,
  height: 1,
  kernel: 'bicubic',
  mean: [0.5, 0.25, 0],
  std: [0.5, 0.25, 1],
  rescale: 1 / 255,
} as const;

it('turns interleaved bytes into normalised planes, image after image', () => {
  const bytes = Uint8Array.from([255, 0, 255, 0, 255, 0, 0, 0, 0, 255, 255, 255]);
  const tensor = createPixelTensor(spec, 2).fill(bytes, 2);
  const rounded = Array.from(tensor, (value) => Math.round(value * 1000) / 1000);
  expect(rounded).toEqual([1, -1, -1, 3, 1, 0, -1, 1, -1, 3, 0, 1]);
});

it('takes a batch larger than it was made for', () => {
  const tensor = createPixelTensor(spec, 1);
  expect(tensor.fill(new Uint8Array(30), 5)).toHaveLength(30);
  expect(tensor.fill(new Uint8Array(6), 1)).toHaveLength(6);
});

it('gives every row length one and refuses rows without a direction', () => {
  const rows = normalizeRows(Float32Array.from([3, 4, 0, 2]), 2);
  expect(Array.from(rows, (value) => Math.round(value * 1e6) / 1e6)).toEqual([0.6, 0.8, 0, 1]);
  expect(() => normalizeRows(Float32Array.from([1, 0, 0, 0]), 2)).toThrow('embedding 2 of 2');
  expect(() => normalizeRows(Float32Array.from([1, Infinity]), 1)).toThrow('not finite');
});
