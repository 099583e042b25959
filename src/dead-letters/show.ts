import { hash } from 'node:crypto';
import type { KafkaRecord } from '../kafka/record.ts';
import type { LetterPosition } from '../events/redrive-note.ts';
import { positionText } from '../events/redrive-note.ts';
import type { Header, InputPosition } from '../events/types.generated.ts';
import { assertKnown } from './known-positions.ts';
import { summaryOf, type LetterSummary } from './list.ts';
import { readLetters, survey, type LetterSource } from './survey.ts';
import { incompleteness } from './whole.ts';

/** Everything that is known of one letter. */
export interface ShownLetter extends LetterSummary {
  /** The record that failed; null when the letter cannot be decoded. Of a redriven one this is not its origin. */
  record: (InputPosition & { timestamp: number }) | null;
  /** Why the letter does not hold its whole record; null when it does, and when it cannot be decoded. */
  incomplete: string | null;
  headers: Header[];
  /** The original value; of a letter that cannot be decoded, the letter's own. */
  value: Buffer | null;
  /** In hex. */
  sha256: string | null;
}

/**
 * One letter. Reads its partition from there to the end, for only a note behind it says that it was redriven.
 * Throws AppError `usage` when there is no letter at this position, and what `survey` does.
 */
export async function showLetter(
  source: LetterSource,
  position: LetterPosition,
): Promise<ShownLetter> {
  const positions = new Map([[positionText(position), position]]);
  const index = await survey(source, { positions });
  await assertKnown(source.kafka, source.topic, index, positions);
  let shown: ShownLetter | undefined;
  await readLetters(
    source,
    index,
    () => true,
    (letter, at, read) => {
      const { headers, value } = read.kind === 'letter' ? read.letter : at;
      shown = {
        ...summaryOf(letter, at, read, source.redriveKey),
        incomplete: (read.kind === 'letter' && incompleteness(read.letter)) || null,
        record: read.kind === 'letter' ? positionOf(read.letter) : null,
        headers,
        value,
        sha256: value && hash('sha256', value),
      };
    },
  );
  if (!shown) throw new Error(`the letter at ${positionText(position)} is gone`); // retention, just now
  return shown;
}

function positionOf({
  topic,
  partition,
  offset,
  timestamp,
}: Omit<KafkaRecord, 'headers'>): ShownLetter['record'] {
  return { topic, partition, offset, timestamp };
}
