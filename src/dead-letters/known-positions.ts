import type { KafkaClient } from '../kafka/client.ts';
import { rangesOf } from '../kafka/read-range.ts';
import { AppError } from '../errors.ts';
import type { LetterPosition } from '../events/redrive-note.ts';
import type { LetterIndex } from './letter-index.ts';

const MAX_NAMED = 10;

/**
 * Throws AppError `usage` when there is no letter at one of the positions; it says what the topic holds. A position
 * may be past the end, be one of a note or a transaction's end, or its record may be gone.
 */
export async function assertKnown(
  kafka: KafkaClient,
  topic: string,
  index: LetterIndex,
  positions: ReadonlyMap<string, LetterPosition> = new Map(),
): Promise<void> {
  const unknown = [...positions].filter(([, position]) => !index.get(position));
  if (unknown.length === 0) return;
  const named = unknown
    .slice(0, MAX_NAMED)
    .map(([text]) => text)
    .join(', ');
  const more = unknown.length > MAX_NAMED ? ` and ${unknown.length - MAX_NAMED} more` : '';
  const ranges = await rangesOf(kafka, [topic]);
  const held = ranges.map(({ partition, from, to }) =>
    from === to ? `${partition} is empty` : `${partition}/${from} to ${partition}/${to - 1}`,
  );
  throw new AppError(
    'usage',
    `there is no dead letter at ${named}${more}: ${topic} holds ${held.join(', ')}; moderato dead-letters list shows where the letters are`,
  );
}
