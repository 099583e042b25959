import { MalformedBytesError, ByteReader } from './fetch/byte-reader.ts';
import type { BatchHeader } from './fetch/batch-header.ts';

export interface AbortedTransaction {
  producerId: string;
  firstOffset: number;
}

/** Type of the control record that aborts a transaction. */
const ABORT = 0;

/**
 * Tells which batches of a partition belong to aborted transactions, by the Java client's algorithm: a transaction
 * begins at its first offset and ends at its producer's next abort marker. The broker lists transactions in the order
 * of their ends, so those of several producers may overlap.
 */
export class AbortedTransactions {
  readonly #coming: AbortedTransaction[];
  readonly #open = new Set<string>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#coming = transactions.toSorted((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Takes the next batch in the order of offsets; true when its records were aborted. */
  includes(header: BatchHeader, records: Buffer): boolean {
    for (let next = this.#coming.at(-1); next; next = this.#coming.at(-1)) {
      if (next.firstOffset > header.lastOffset) break;
      this.#open.add(next.producerId);
      this.#coming.pop();
    }
    if (!header.inTransaction) return false;
    if (!header.isControlBatch) return this.#open.has(header.producerId);
    if (isAbortMarker(records)) this.#open.delete(header.producerId);
    return false;
  }
}

/** The one record of a control batch has a key of a version and a type, INT16 each. An unreadable one aborts too. */
function isAbortMarker(records: Buffer): boolean {
  try {
    const reader = new ByteReader(records);
    reader.varint(); // length
    reader.skip(1); // attributes
    reader.varlong(); // timestamp
    reader.varint(); // offset
    const key = reader.bytes();
    return key === null || key.length < 4 || key.readInt16BE(2) === ABORT;
  } catch (error) {
    if (error instanceof MalformedBytesError) return true;
    throw error;
  }
}
