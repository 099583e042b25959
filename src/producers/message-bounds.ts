/**
 * How large messages may become. An emission is made to fit the `max.message.bytes` of its topics; these bounds say
 * which limits leave room for everything, and which leave none.
 */
import type { OutputTopics } from './topic-routes.ts';

/** The smallest limit that every emission can be made to fit, in bytes. */
export const LEAST_LIMIT_BYTES = 4_096;

/** The limit of a topic whose setting is not known: Kafka's default, in bytes. */
export const DEFAULT_LIMIT_BYTES = 1_048_588;

/** What Kafka adds to one record for its batch, at most, in bytes. */
export const BATCH_OVERHEAD_BYTES = 72;

/**
 * What an event's key, headers, labels and texts may take together to be carried whole, in bytes as they are encoded
 * in the output.
 */
export const CARRIED_BYTES = 1024 * 1024;

/** What a verdict adds to what it carries: the results of some hundred policies. */
const RESULTS_BYTES = 256 * 1024;

/** The embeddings of 64 views in 2,048 dimensions, each number of up to 24 characters in JSON. */
const EMBEDDINGS_BYTES = 64 * 2_048 * 24;

/** What a topic needs. */
export interface TopicRoom {
  topic: string;
  /** The `max.message.bytes` with which nothing has to be shrunk. */
  bytes: number;
}

/** What an image event may take on the input topic, in JSON, where bytes are base64. */
export function eventBytes(maxImageBytes: number): number {
  return inBase64(maxImageBytes) + CARRIED_BYTES;
}

/**
 * The room that each output topic needs so that nothing is left out of what is emitted for a record of up to
 * `recordBytes`, as long as its key, headers, labels and texts take no more than `CARRIED_BYTES`. A topic for several
 * kinds of message gets the room for the largest.
 *
 * @param recordBytes - of the input topic, its `max.message.bytes`
 */
export function roomOf(topics: OutputTopics, recordBytes: number): TopicRoom[] {
  const verdict = CARRIED_BYTES + RESULTS_BYTES;
  const rooms = new Map<string, number>();
  const need = (topic: string | undefined, bytes: number): void => {
    if (topic !== undefined) rooms.set(topic, Math.max(bytes, rooms.get(topic) ?? 0));
  };
  need(topics.verdicts, verdict);
  for (const topic of Object.values(topics.routes)) need(topic, verdict);
  // A dead letter holds the whole record, and its message carries the record's key and headers once more. In JSON
  // each header takes more than in the record.
  need(topics.deadLetters, inBase64(recordBytes) + 2 * CARRIED_BYTES);
  need(topics.embeddings, CARRIED_BYTES + EMBEDDINGS_BYTES);
  return [...rooms].map(([topic, bytes]) => ({ topic, bytes }));
}

function inBase64(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
