import { attemptsBefore } from '../events/origin.ts';
import type { DeadLetter, DeadLetterError, Header } from '../events/types.generated.ts';

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
    timestamp,
    key,
    value,
    headers,
    error,
    attempts: attemptsBefore(headers) + 1, // it is tried again only when somebody redrives it
    failedAt,
  };
}
