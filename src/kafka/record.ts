import type { ErrorCode } from '../errors.ts';
import type { Header } from '../events/types.generated.ts';

/** One record as the broker delivered it, byte for byte: a key is not text, and null is not empty. */
export interface KafkaRecord {
  topic: string;
  partition: number;
  offset: number;
  /** Milliseconds since the epoch, from the record's own timestamp. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  /** In the order in which they were written; a name may repeat. */
  headers: Header[];
  /**
   * Why the record cannot be used; absent otherwise. What of it could not be read, or is too large to be kept, is then
   * null or empty: nothing is invented.
   */
  fault?: RecordFault;
}

export interface RecordFault {
  /** A code with the disposition `dead-letter`. */
  code: ErrorCode;
  message: string;
}
