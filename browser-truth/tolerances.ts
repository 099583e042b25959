import type { Comparison, Difference } from './compare.ts';

/**
 * Colours are converted by skcms there and by lcms here, in other precisions; a cell that is off by so little looks
 * the same, and moves no embedding.
 */
const DEFAULT: Difference = { mean: 1, highest: 6 };

/** Groups of files that differ more, and why that is sound. */
const TOLERANCES: Record<string, Difference & { why: string }> = {};

export const toleranceOf = (group: string): Difference => TOLERANCES[group] ?? DEFAULT;

/** Whether people see what is judged. What no browser shows may be judged or refused. */
export function isAlike(comparison: Comparison, group: string): boolean {
  if (comparison.kind === 'neither' || comparison.kind === 'not-shown') return true;
  if (comparison.kind !== 'both') return false;
  const { mean, highest } = toleranceOf(group);
  return comparison.mean <= mean && comparison.highest <= highest;
}
