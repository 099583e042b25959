import type { Comparison, Difference } from './compare.ts';

/**
 * Colours are converted by skcms there and by lcms here, in other precisions; a cell that is off by so little looks
 * the same, and moves no embedding.
 */
const DEFAULT: Difference = { mean: 1, highest: 6 };

/** Groups of files that differ more, and why that is sound. */
const TOLERANCES = new Map<string, Difference & { why: string }>([
  ...['jpeg', 'png', 'webp'].map((format): [string, Difference & { why: string }] => [
    `${format}-profile`,
    { mean: 2, highest: 6, why: 'lcms reads tables of 16 bits, skcms in floating point' },
  ]),
  [
    'avif-type',
    {
      mean: 5,
      highest: 16,
      why: 'chroma of 4:2:0 is enlarged, and alpha of limited range widened, there only',
    },
  ],
  ['avif-alpha', { mean: 5, highest: 16, why: 'alpha of limited range is widened there only' }],
  [
    'avif-profile',
    { mean: 2, highest: 12, why: 'there YCbCr is converted without clipping to RGB in between' },
  ],
  ['avif-nclx', { mean: 2, highest: 12, why: 'as avif-profile' }],
]);

export const toleranceOf = (group: string): Difference => TOLERANCES.get(group) ?? DEFAULT;

/** Whether people see what is judged. What no browser shows may be judged or refused. */
export function isAlike(comparison: Comparison, group: string): boolean {
  if (comparison.kind === 'neither' || comparison.kind === 'not-shown') return true;
  if (comparison.kind !== 'both') return false;
  const { mean, highest } = toleranceOf(group);
  return comparison.mean <= mean && comparison.highest <= highest;
}
