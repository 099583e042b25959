import type { KafkaClient } from '../kafka/client.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { rangesOf, readRanges, type OffsetRange } from '../kafka/read-range.ts';
import type { MessageDecoder } from '../events/message-decoder.ts';
import { originOf } from '../events/origin.ts';
import type { LetterPosition } from '../events/redrive-note.ts';
import type { DeadLetter } from '../events/types.generated.ts';
import { matches, type LetterFilter } from './filter.ts';
import { LetterIndex, type IndexedLetter } from './letter-index.ts';
import { readLetter, type LetterRecord } from './letter.ts';
import { incompleteness } from './whole.ts';

/** Where letters are read from and how. */
export interface LetterSource {
  kafka: KafkaClient;
  /** The dead-letter topic. */
  topic: string;
  decoder: MessageDecoder<DeadLetter>;
  /** Proves the origins of redriven records; without one none is believed. */
  redriveKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Reads the topic once and indexes the letters that `filter` means, with the notes that concern them.
 * Throws what `rangesOf`, `readRanges` and `readLetter` do.
 */
export async function survey(source: LetterSource, filter: LetterFilter): Promise<LetterIndex> {
  const { kafka, topic, decoder, redriveKey, signal } = source;
  const index = new LetterIndex();
  // A letter is written after it failed, and a note after its letter in the same partition. So ranges begin with
  // the first letter that may be meant, and go on to the end.
  const held = await rangesOf(kafka, [topic], { fromMs: filter.sinceMs });
  await readRanges({
    kafka,
    ranges: filter.positions ? from(filter.positions.values(), held) : held,
    signal,
    onRecord: async (record) => {
      const read = await readLetter(decoder, record);
      if (read.kind === 'note') {
        if (read.of) index.markRedriven(read.of);
        return;
      }
      const letter = indexed(record, read, redriveKey);
      if (matches(filter, letter)) index.add(letter);
    },
  });
  return index;
}

/** The ranges from the first of the positions in each partition; none where there are no positions. */
function from(positions: Iterable<LetterPosition>, ranges: readonly OffsetRange[]): OffsetRange[] {
  const firsts = new Map<number, number>();
  for (const { partition, offset } of positions) {
    firsts.set(partition, Math.min(offset, firsts.get(partition) ?? offset));
  }
  return ranges.flatMap((range) => {
    const first = firsts.get(range.partition);
    if (first === undefined) return [];
    return [{ ...range, from: Math.min(Math.max(first, range.from), range.to) }];
  });
}

function indexed(
  { partition, offset, timestamp }: KafkaRecord,
  read: Exclude<LetterRecord, { kind: 'note' }>,
  redriveKey: string | undefined,
): IndexedLetter {
  const at = { partition, offset, redriven: false };
  if (read.kind === 'undecodable') {
    return { ...at, failedAt: timestamp, code: undefined, topic: undefined, isWhole: false };
  }
  const { letter } = read;
  return {
    ...at,
    failedAt: letter.failedAt,
    code: letter.error.code,
    topic: originOf(letter, redriveKey).topic,
    isWhole: incompleteness(letter) === undefined,
  };
}

/**
 * Reads those of the indexed letters that are wanted, and hands each over with what its record is.
 * Throws what `readRanges` and `readLetter` do, and what `onLetter` throws.
 */
export async function readLetters(
  { kafka, topic, decoder, signal }: LetterSource,
  index: LetterIndex,
  isWanted: (letter: IndexedLetter) => boolean,
  onLetter: (letter: IndexedLetter, record: KafkaRecord, read: LetterRecord) => unknown,
): Promise<void> {
  const ranges = new Map<number, OffsetRange>();
  for (const letter of index) {
    if (!isWanted(letter)) continue;
    const { partition, offset } = letter;
    const from = ranges.get(partition)?.from ?? offset;
    ranges.set(partition, { topic, partition, from, to: offset + 1 });
  }
  await readRanges({
    kafka,
    ranges: [...ranges.values()],
    signal,
    onRecord: async (record) => {
      const letter = index.get(record);
      if (!letter || !isWanted(letter)) return;
      await onLetter(letter, record, await readLetter(decoder, record));
    },
  });
}

/** How many letters have each name, the most frequent first; without those that have none. */
export function countBy(
  letters: Iterable<IndexedLetter>,
  nameOf: (letter: IndexedLetter) => string | undefined,
): Record<string, number> {
  const counts = new Map<string, number>();
  for (const letter of letters) {
    const name = nameOf(letter);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
