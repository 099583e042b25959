import { originText } from '../events/origin.ts';
import { positionText, type LetterPosition } from '../events/redrive-note.ts';
import { lostParts } from '../events/shrunk.ts';
import type { DeadLetter, InputPosition } from '../events/types.generated.ts';

/** A dead letter without all of its record. */
export interface IncompleteLetter {
  at: LetterPosition;
  /** Where the whole record lies, as long as its topic keeps it. */
  record: InputPosition;
  why: string;
}

/** What the service left out of a dead letter, by the name that it gives it in `shrunk`. */
const LEFT_OUT = new Map([
  ['record-headers', 'headers'],
  ['record-key', 'part of the key'],
  ['record-value', 'part of the value'],
  ['minimal', 'key, value and headers'],
]);

/** Codes of records that could not be taken out of their batch: their dead letters hold a position only. */
const UNREAD: ReadonlySet<string> = new Set([
  'event_batch_too_large',
  'event_batch_corrupt',
  'event_too_large',
  'event_headers_too_large',
]);

/** Why a letter does not hold its whole record; undefined when it does. */
export function incompleteness(letter: DeadLetter): string | undefined {
  if (UNREAD.has(letter.error.code) && letter.value === null) {
    return 'the record could not be read, so the dead letter holds its position only';
  }
  const lost = lostParts(letter).flatMap((name) => LEFT_OUT.get(name) ?? []);
  if (lost.length === 0) return undefined;
  return `the dead-letter topic had no room for the record: ${lost.join(' and ')} left out`;
}

/** For a person: `0/42: … the whole record is images/3/7`. */
export function incompleteText({ at, record, why }: IncompleteLetter): string {
  return `${positionText(at)}: ${why}; the whole record is ${originText(record)}, as long as its topic keeps it`;
}
