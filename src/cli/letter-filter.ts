import { parseCodes, parseTime, type LetterFilter } from '../dead-letters/filter.ts';

/** As commander gives them. */
export interface FilterOptions {
  code?: string[];
  since?: string;
  until?: string;
}

/**
 * Throws AppError `usage` for a code or a time that is none.
 *
 * @param now - what ages are counted from, in ms since the epoch
 */
export function filterOf({ code, since, until }: FilterOptions, now: number): LetterFilter {
  return {
    codes: code && parseCodes(code),
    sinceMs: since === undefined ? undefined : parseTime('--since', since, now),
    untilMs: until === undefined ? undefined : parseTime('--until', until, now),
  };
}
