import type { KafkaRecord } from '../kafka/record.ts';
import { originOf } from '../events/origin.ts';
import { positionText } from '../events/redrive-note.ts';
import type { InputPosition } from '../events/types.generated.ts';
import type { LetterFilter } from './filter.ts';
import type { IndexedLetter, LetterIndex } from './letter-index.ts';
import type { LetterRecord } from './letter.ts';
import { countBy, readLetters, survey, type LetterSource } from './survey.ts';

/** A letter without its value. What is null is not known, since the letter cannot be decoded. */
export interface LetterSummary {
  partition: number;
  offset: number;
  /** Milliseconds since the epoch; of a letter that cannot be decoded, when it was written. */
  failedAt: number;
  redriven: boolean;
  code: string | null;
  stage: string | null;
  /** Of the error; of a letter that cannot be decoded, why it cannot. */
  message: string;
  attempts: number | null;
  /** Where the event was published first; see `originOf`. */
  origin: InputPosition | null;
  key: Buffer | null;
  /** Of the original value; null also where that was null. */
  valueBytes: number | null;
}

export interface LetterList {
  /** The newest first. */
  letters: LetterSummary[];
  /** Beyond the limit too. */
  counts: {
    total: number;
    byCode: Record<string, number>;
    undecodable: number;
    /** Also where they are not listed. */
    redriven: number;
  };
}

export interface ListOptions extends LetterSource {
  filter: LetterFilter;
  /** How many are listed at most. */
  limit: number;
  /** Whether those that were redriven are among them. */
  withRedriven: boolean;
}

/**
 * The newest dead letters, and how many there are. Reads the topic once for where they lie, and those that are
 * listed once more. Throws what `survey` does.
 */
export async function listLetters(options: ListOptions): Promise<LetterList> {
  const index = await survey(options, options.filter);
  const isListed = ({ redriven }: IndexedLetter): boolean => options.withRedriven || !redriven;
  const newest = newestOf(index, isListed, options.limit);
  const wanted = new Set(newest.map(positionText));
  const letters: LetterSummary[] = [];
  await readLetters(
    options,
    index,
    (letter) => wanted.has(positionText(letter)),
    (letter, record, read) => letters.push(summaryOf(letter, record, read, options.redriveKey)),
  );
  return { letters: letters.sort(byAge), counts: countsOf(index, isListed) };
}

function countsOf(
  index: LetterIndex,
  isListed: (letter: IndexedLetter) => boolean,
): LetterList['counts'] {
  const counts = { total: 0, redriven: 0, undecodable: 0 };
  for (const letter of index) {
    if (letter.redriven) counts.redriven += 1;
    if (!isListed(letter)) continue;
    counts.total += 1;
    if (letter.code === undefined) counts.undecodable += 1;
  }
  const byCode = countBy(index, (letter) => (isListed(letter) ? letter.code : undefined));
  return { ...counts, byCode };
}

export function summaryOf(
  { partition, offset, failedAt, redriven }: IndexedLetter,
  record: KafkaRecord,
  read: LetterRecord,
  redriveKey: string | undefined,
): LetterSummary {
  const known = { partition, offset, failedAt, redriven };
  if (read.kind === 'letter') {
    const { letter } = read;
    return {
      ...known,
      ...letter.error,
      attempts: letter.attempts,
      origin: originOf(letter, redriveKey),
      key: letter.key,
      valueBytes: letter.value?.length ?? null,
    };
  }
  const message = read.kind === 'undecodable' ? read.error.message : 'a note';
  const nothing = { code: null, stage: null, attempts: null, origin: null, valueBytes: null };
  return { ...known, ...nothing, message, key: record.key };
}

type Aged = Pick<IndexedLetter, 'failedAt' | 'partition' | 'offset'>;

/** The newest first; of the same time, in the order of their positions. */
function byAge(a: Aged, b: Aged): number {
  return b.failedAt - a.failedAt || a.partition - b.partition || b.offset - a.offset;
}

/** Holds twice `limit` at most. */
function newestOf(
  letters: Iterable<IndexedLetter>,
  isListed: (letter: IndexedLetter) => boolean,
  limit: number,
): IndexedLetter[] {
  const newest: IndexedLetter[] = [];
  for (const letter of letters) {
    if (!isListed(letter)) continue;
    newest.push(letter);
    if (newest.length < 2 * limit) continue;
    newest.sort(byAge);
    newest.length = limit;
  }
  return newest.sort(byAge).slice(0, limit);
}
