import type { DeadLetter } from './types.generated.ts';

/** The steps that leave something of the record out of a dead letter. */
const LOSSES: ReadonlySet<string> = new Set([
  'record-headers',
  'record-key',
  'record-value',
  'minimal',
]);

/**
 * What of its record a dead letter does not hold, by the names of its `shrunk`; empty: it holds the whole record and
 * can be redriven. The original is the record at the letter's `topic`, `partition` and `offset`, as long as that topic
 * keeps it.
 */
export function lostParts({ shrunk }: Pick<DeadLetter, 'shrunk'>): string[] {
  return shrunk.filter((step) => LOSSES.has(step));
}
