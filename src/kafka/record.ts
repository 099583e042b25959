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
   * Why the record could not be taken out of its batch; absent otherwise. Its key, value and headers are then null
   * and empty: nothing is invented.
   */
  fault?: RecordFault;
}

export interface RecordFault {
  /** A code with the disposition `dead-letter`. */
  code: ErrorCode;
  message: string;
}
