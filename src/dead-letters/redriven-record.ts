import type { KafkaRecord } from '../kafka/record.ts';
import { AppError } from '../errors.ts';
import { originOf, originText, redrivenHeaders } from '../events/origin.ts';
import { positionText, redriveNote, type LetterPosition } from '../events/redrive-note.ts';
import { lostParts } from '../events/shrunk.ts';
import type { DeadLetter } from '../events/types.generated.ts';
import { partitionOfKey } from '../kafka/key-partitioner.ts';
import { recordBytes } from '../kafka/outgoing-message.ts';
import type { PlacedMessage } from '../kafka/redrive-producer.ts';

/** The topic that a record is redriven to. */
export interface Target {
  topic: string;
  /** The numbers of its partitions. */
  partitions: readonly number[];
}

/** What is written of one letter: its record once more, and the note that says so. */
export interface Redriven {
  position: LetterPosition;
  record: PlacedMessage;
  /** @param offset - of the redriven record, where the broker has told it */
  noteOf: (offset: number | undefined) => PlacedMessage;
  /** What both take in requests, uncompressed, in bytes; a little more than the truth. */
  bytes: number;
}

/**
 * @param at - the record that holds the letter. The note follows it in its partition, so that a reader that goes on
 *   from a letter comes to its note.
 * @param redriveKey - proves the origin; without one the service takes the record for an event of its own
 * Throws AppError `letter_incomplete` for a letter that was shrunk to fit its topic.
 */
export function redriven(
  letter: DeadLetter,
  at: KafkaRecord,
  target: Target,
  redriveKey?: string,
): Redriven {
  assertWhole(letter, at);
  const { key, value, attempts } = letter;
  const { topic } = target;
  const position = { partition: at.partition, offset: at.offset };
  const origin = originOf(letter, redriveKey);
  const partition = partitionOf(letter, origin.partition, target);
  const noteOf = (offset: number | undefined): PlacedMessage => ({
    topic: at.topic,
    partition: at.partition,
    key: at.key,
    value: null,
    headers: redriveNote(position, offset === undefined ? undefined : { topic, partition, offset }),
  });
  // With a timestamp of its own: the topic may drop what is as old as the first record.
  const record = {
    topic,
    partition,
    key,
    value,
    headers: redrivenHeaders(letter.headers, { topic, key, value, origin, attempts }, redriveKey),
  };
  return { position, record, noteOf, bytes: bytesOf(record) + bytesOf(noteOf(0)) };
}

function bytesOf({ key, value, headers }: PlacedMessage): number {
  return recordBytes(key, value, headers);
}

function assertWhole(letter: DeadLetter, at: KafkaRecord): void {
  const lost = lostParts(letter);
  if (lost.length === 0) return;
  throw new AppError(
    'letter_incomplete',
    `redriving ${positionText(at)} of ${at.topic}: it does not hold the whole record (${lost.join(', ')}); the original is ${originText(letter)}, publish that again`,
  );
}

/** The original one; where the topic has it no more, one that follows from the record. */
function partitionOf({ key }: DeadLetter, original: number, { partitions }: Target): number {
  if (partitions.includes(original)) return original;
  return key === null ? original % partitions.length : partitionOfKey(key, partitions.length);
}
