import { Partitioners, type PartitionMetadata } from 'kafkajs';
import type { KafkaRecord } from '../kafka/record.ts';
import { AppError } from '../errors.ts';
import { originOf, originText, redrivenHeaders } from '../events/origin.ts';
import { positionText, redriveNote, type LetterPosition } from '../events/redrive-note.ts';
import { lostParts } from '../events/shrunk.ts';
import type { DeadLetter } from '../events/types.generated.ts';
import { kafkaHeaders, recordBytes } from '../kafka/outgoing-message.ts';
import type { PlacedMessage } from './redrive-producer.ts';

/** The topic that a record is redriven to. */
export interface Target {
  topic: string;
  partitions: readonly PartitionMetadata[];
}

/** What is written of one letter: its record once more, and the note that says so. */
export interface Redriven {
  position: LetterPosition;
  messages: readonly [record: PlacedMessage, note: PlacedMessage];
  /** What they take in requests, uncompressed, in bytes; a little more than the truth. */
  bytes: number;
}

const choosePartition = Partitioners.DefaultPartitioner();

/**
 * @param at - the record that holds the letter. The note follows it in its partition, so that whoever reads on
 *   from a letter comes to its note.
 * Throws AppError `letter_incomplete` for a letter that was shrunk to fit its topic.
 */
export function redriven(letter: DeadLetter, at: KafkaRecord, target: Target): Redriven {
  assertWhole(letter, at);
  const { key, value } = letter;
  const position = { partition: at.partition, offset: at.offset };
  const headers = redrivenHeaders(letter.headers, originOf(letter), letter.attempts);
  const noteHeaders = [redriveNote(position)];
  return {
    position,
    bytes: recordBytes(key, value, headers) + recordBytes(at.key, null, noteHeaders),
    messages: [
      {
        topic: target.topic,
        // With a time of its own: the topic may drop what is as old as the first record.
        message: {
          key,
          value,
          headers: kafkaHeaders(headers),
          partition: partitionOf(letter, target),
        },
      },
      {
        topic: at.topic,
        message: {
          key: at.key,
          value: null,
          headers: kafkaHeaders(noteHeaders),
          partition: at.partition,
        },
      },
    ],
  };
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
function partitionOf(letter: DeadLetter, { topic, partitions }: Target): number {
  const { partition } = originOf(letter);
  if (partitions.some(({ partitionId }) => partitionId === partition)) return partition;
  if (letter.key === null) return partition % partitions.length;
  const message = { key: letter.key, value: letter.value };
  return choosePartition({ topic, partitionMetadata: [...partitions], message });
}
