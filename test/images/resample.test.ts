import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { geometryOf, type Axis } from '../../src/images/geometry.ts';
import { planResampling } from '../../src/images/resample.ts';
import { packageFile } from '../../src/package-files.ts';

const CUBIC = (distance: number): number => {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
};
const FILTERS = {
  bicubic: [2, CUBIC],
  bilinear: [1, (x: number) => Math.max(0, 1 - Math.abs(x))],
} as const;

/** Pillow's resize of one line of single samples, written as plainly as can be. */
function resizeLine(line: number[], target: number, kernel: keyof typeof FILTERS): number[] {
  const [radius, filter] = FILTERS[kernel];
  const scale = line.length / target;
  const stretch = Math.max(1, scale);
  return Array.from({ length: target }, (_, out) => {
    const centre = (out + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - radius * stretch + 0.5));
    const end = Math.min(line.length, Math.trunc(centre + radius * stretch + 0.5));
    const part = line.slice(first, end);
    const weights = part.map((_, i) => filter((first + i - centre + 0.5) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const fixed = weights.map((weight) => {
      const value = (weight / sum) * 2 ** 22;
      return Math.trunc(value + Math.sign(value) * 0.5);
    });
    const total = part.reduce((all, value, i) => all + value * (fixed[i] ?? 0), 2 ** 21);
    return Math.min(255, Math.max(0, Math.floor(total / 2 ** 22)));
  });
}

function resizePlainly(
  data: Uint8Array,
  size: { width: number; height: number },
  target: { width: number; height: number },
  kernel: keyof typeof FILTERS,
): number[][] {
  const rows = Array.from({ length: size.height }, (_, y) =>
    [0, 1, 2].map((c) => {
      const line = Array.from(
        { length: size.width },
        (_, x) => data[(y * size.width + x) * 3 + c] ?? 0,
      );
      return resizeLine(line, target.width, kernel);
    }),
  );
  const columns = Array.from({ length: target.width * 3 }, (_, i) =>
    resizeLine(
      rows.map((row) => row[i % 3]?.[Math.trunc(i / 3)] ?? 0),
      target.height,
      kernel,
    ),
  );
  return Array.from({ length: target.height }, (_, y) => columns.map((column) => column[y] ?? 0));
}

const edge = fc.integer({ min: 1, max: 40 });
const kept = (axis: Axis) => ({ from: axis.offset, to: axis.offset + axis.length });

describe('resampling', () => {
  it('gives the bytes of the plain algorithm, whatever the sizes and the crop', () => {
    fc.assert(
      fc.property(
        fc.record({ width: edge, height: edge }),
        fc.record({ resizeTo: edge, width: edge, height: edge }),
        fc.constantFrom('shortest-edge-crop' as const, 'squash' as const),
        fc.constantFrom('bicubic' as const, 'bilinear' as const),
        fc.integer(),
        (size, spec, mode, kernel, seed) => {
          const data = Uint8Array.from(
            { length: size.width * size.height * 3 },
            (_, i) => Math.imul(seed + i, 2_654_435_761) >>> 24,
          );
          const geometry = geometryOf(
            { ...spec, mode, kernel, mean: [0, 0, 0], std: [1, 1, 1], rescale: 1 },
            size.width,
            size.height,
          );
          const { horizontal, vertical } = geometry;
          const plan = planResampling(geometry, kernel);
          const part = Array.from({ length: plan.vertical.length }, (_, y) => {
            const at = ((y + plan.vertical.start) * size.width + plan.horizontal.start) * 3;
            return [...data.subarray(at, at + plan.horizontal.length * 3)];
          });
          const pixels = plan.run(Uint8Array.from(part.flat()));
          const target = { width: horizontal.target, height: vertical.target };
          const [rows, columns] = [kept(vertical), kept(horizontal)];
          const expected = resizePlainly(data, size, target, kernel)
            .slice(rows.from, rows.to)
            .map((row) => row.slice(columns.from * 3, columns.to * 3));
          expect(pixels).toMatchObject({ width: horizontal.length, height: vertical.length });
          expect([...pixels.data]).toEqual(expected.flat());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('picks the nearest samples and mixes none', () => {
    const axis = { input: 4, target: 2, offset: 0, length: 2, output: 2, pad: 0 };
    const plan = planResampling({ horizontal: axis, vertical: axis }, 'nearest');
    expect([plan.horizontal, plan.vertical]).toEqual([
      { start: 1, length: 3 },
      { start: 1, length: 3 },
    ]);
    const grey = [5, 6, 7, 9, 10, 11, 13, 14, 15].flatMap((value) => [value, value, value]);
    const { data } = plan.run(Uint8Array.from(grey));
    expect([...data].filter((_, i) => i % 3 === 0)).toEqual([5, 7, 13, 15]);
  });

  it('keeps lanczos within its overshoot and a flat image flat', () => {
    const axis = { input: 100, target: 30, offset: 4, length: 22, output: 22, pad: 0 };
    const plan = planResampling({ horizontal: axis, vertical: axis }, 'lanczos');
    const input = new Uint8Array(plan.horizontal.length * plan.vertical.length * 3).fill(255);
    expect(new Set(plan.run(input).data)).toEqual(new Set([255]));
  });

  it('runs what resample.wat says', () => {
    const script = packageFile('scripts/generate-wasm.ts');
    expect(() =>
      execFileSync(process.execPath, [script, '--check'], { cwd: packageFile('.') }),
    ).not.toThrow();
  });
});
