/**
 * Where a process may die, as a port: the await points between taking a record and committing its offset. Nothing
 * is behind it in production; tests and the chaos suite put a crash there.
 */
export const FAULT_POINTS = [
  /** A record was taken from the source. */
  'taken',
  'decoded',
  'fetched',
  'preprocessed',
  'inferred',
  'scored',
  /** Every message of the record is acknowledged, and its offset is not resolved. */
  'emitted',
  'resolved',
  /** At-least-once: a request of verdicts is about to be sent, or was answered. */
  'sending',
  'sent',
  /** Offsets are about to be committed, or were. */
  'committing',
  'committed',
  /** Exactly-once: the offset is in the transaction, then the messages, then it is committed. */
  'transaction-offsets',
  'transaction-messages',
  'transaction-committed',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

export interface FaultPoints {
  /** Told that this point was reached; whatever it throws strikes there. */
  reach(point: FaultPoint): void;
}

/** Nothing ever happens. */
export const noFaults: FaultPoints = { reach: () => undefined };
