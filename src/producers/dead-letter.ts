import { MAX_TIME, MIN_TIME } from '../events/limits.ts';
import { attemptsBefore } from '../events/origin.ts';
import type { DeadLetter, DeadLetterError, Header } from '../events/types.generated.ts';
import { cutText } from './cut-text.ts';

/** Of an error's message in a verdict or a dead letter: it may quote the input at any length. */
export const MAX_REASON_BYTES = 2_048;

/** What a dead letter keeps of the record it is made from. */
export interface UnusableRecord {
  topic: string;
  partition: number;
  offset: number;
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Header[];
}

/**
 * The record whole, with the reason why it could not be used.
 *
 * @param failedAt - ms since the epoch
 */
export function deadLetterOf(
  record: UnusableRecord,
  error: DeadLetterError,
  failedAt: number,
): DeadLetter {
  const { topic, partition, offset, timestamp, key, value, headers } = record;
  return {
    topic,
    partition,
    offset,
    timestamp: encodableTime(timestamp),
    key,
    value,
    headers,
    error: { ...error, message: cutText(error.message, MAX_REASON_BYTES) },
    attempts: attemptsBefore(headers) + 1, // it is tried again only when somebody redrives it
    failedAt,
    shrunk: [],
    valueBytes: null,
    valueSha256: null,
  };
}

/** A record may have any 64-bit timestamp: the nearest one that is a date, and -1 (Kafka: none) for NaN. */
export function encodableTime(value: number): number {
  if (Number.isNaN(value)) return -1;
  return Math.trunc(Math.min(Math.max(value, MIN_TIME), MAX_TIME));
}
