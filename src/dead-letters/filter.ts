import { nearestName } from '../did-you-mean.ts';
import { AppError, DISPOSITIONS } from '../errors.ts';
import { parsePosition, positionText, type LetterPosition } from '../events/redrive-note.ts';

/** Which dead letters are meant: those that meet all that is given. */
export interface LetterFilter {
  /** One of these is the error's code. */
  codes?: ReadonlySet<string> | undefined;
  /** Failed at this time or later, in ms since the epoch. */
  sinceMs?: number | undefined;
  /** Failed before this time, in ms since the epoch. */
  untilMs?: number | undefined;
  /** It is one of these; see `parsePositions`. */
  positions?: ReadonlyMap<string, LetterPosition> | undefined;
}

/** `failedAt` in ms since the epoch; `code` is undefined of a letter that cannot be decoded. */
export function matches(
  { codes, sinceMs = -Infinity, untilMs = Infinity, positions }: LetterFilter,
  letter: LetterPosition & { code: string | undefined; failedAt: number },
): boolean {
  const { code, failedAt } = letter;
  if (positions && !positions.has(positionText(letter))) return false;
  if (codes && (code === undefined || !codes.has(code))) return false;
  return failedAt >= sinceMs && failedAt < untilMs;
}

/** Every code that a dead letter can have. */
export const LETTER_CODES = Object.entries(DISPOSITIONS)
  .filter(([, disposition]) => disposition === 'dead-letter')
  .map(([code]) => code);

/** Throws AppError `usage` for a code that no dead letter has. */
export function parseCodes(texts: readonly string[]): ReadonlySet<string> {
  for (const text of texts) {
    if (LETTER_CODES.includes(text)) continue;
    const near = nearestName(text, LETTER_CODES);
    const hint = near === undefined ? '.' : `; did you mean ${near}?`;
    throw new AppError(
      'usage',
      `--code ${text}: no dead letter has that code${hint} There are ${LETTER_CODES.join(', ')}`,
    );
  }
  return new Set(texts);
}

/** By their text. Throws AppError `usage` for anything but `<partition>/<offset>`. */
export function parsePositions(texts: readonly string[]): ReadonlyMap<string, LetterPosition> {
  return new Map(texts.map((text) => [text, position(text)]));
}

function position(text: string): LetterPosition {
  const parsed = parsePosition(text);
  if (parsed) return parsed;
  throw new AppError(
    'usage',
    `${text} is no position of a dead letter: expected <partition>/<offset>, such as 0/42, as moderato dead-letters list shows it`,
  );
}

const AGE = /^(\d{1,9})(s|m|h|d|w)$/;
const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
/** A day, or a time with a zone: without one nobody knows whose time it is. */
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/;

/**
 * Milliseconds since the epoch of a time in ISO 8601 or of an age: `2026-11-23T16:00Z`, `2026-11-23`, `90m`, `3d`.
 * Throws AppError `usage` for anything else.
 *
 * @param option - for the message: `--since`
 * @param now - what ages are counted from, in ms since the epoch
 */
export function parseTime(option: string, text: string, now: number): number {
  const [, count, unit] = AGE.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  const time = TIME.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return time;
  throw new AppError(
    'usage',
    `${option} ${text}: expected a time in ISO 8601 with its zone (2026-11-23T16:00Z), a day (2026-11-23), or an age (30s, 90m, 2h, 3d, 1w)`,
  );
}
