import type { AbortedTransaction } from '../aborted-transactions.ts';
import { AbortedTransactions } from '../aborted-transactions.ts';
import { readBatchHeader, type BatchHeader } from './batch-header.ts';
import type { FetchedMessage } from './fetched-message.ts';
import { RECORD_OVERHEAD_BYTES, type FetchLimits } from './limits.ts';
import { corrupt, messagesOf, openBatch, type RecordBatch } from './record-batch.ts';

/** What the compressed batches of a response may still expand to. */
export interface ExpansionBudget {
  left: number;
}

/**
 * What a fetch gave of one partition. Iterating makes the messages, each time from the first one; until then only
 * their bytes are held.
 */
export class FetchedRecords implements Iterable<FetchedMessage> {
  /** The offset after the last batch that is here in full; undefined when none is. */
  readonly nextOffset: number | undefined;
  /** Memory that the records take once they are made, estimated. */
  readonly bytes: number;
  readonly #batches: readonly RecordBatch[];
  readonly #limits: FetchLimits;

  constructor(batches: readonly RecordBatch[], limits: FetchLimits) {
    this.#batches = batches;
    this.#limits = limits;
    const last = batches.at(-1);
    this.nextOffset = last && last.header.lastOffset + 1;
    this.bytes = batches.reduce((sum, batch) => sum + sizeOf(batch), 0);
  }

  *[Symbol.iterator](): Generator<FetchedMessage, void> {
    for (const batch of this.#batches) yield* messagesOf(batch, this.#limits);
  }
}

/** `isUnreadable`: not even the first batch has an end, so nothing after it can be found. */
export interface RecordSet {
  records: FetchedRecords;
  isUnreadable: boolean;
}

/**
 * Reads the record batches of one partition. A batch cut short ends them, as it does where the broker reached the
 * fetch's size; so does one whose length or offset is impossible, and a compressed batch when the budget is used up.
 */
export async function readRecordSet(
  bytes: Buffer,
  transactions: readonly AbortedTransaction[],
  limits: FetchLimits,
  budget: ExpansionBudget,
): Promise<RecordSet> {
  const aborted = new AbortedTransactions(transactions);
  const batches: RecordBatch[] = [];
  let isUnreadable = false;
  let expected = 0;
  for (let at = 0; at < bytes.length;) {
    const framing = readBatchHeader(bytes, at);
    if (framing.kind === 'partial') break;
    if (framing.kind === 'broken' || framing.header.baseOffset < expected) {
      isUnreadable = batches.length === 0;
      break;
    }
    const { header, end } = framing;
    if (framing.kind === 'old-format') {
      batches.push({ header, records: oldFormat(header, framing.magic) });
    } else {
      const compressed = bytes.subarray(framing.recordsAt, end);
      const isHidden = aborted.includes(header, compressed) || header.isControlBatch;
      if (!isHidden && header.codec !== 0 && budget.left <= 0) break;
      const records = isHidden ? undefined : await open(header, compressed, limits, budget);
      batches.push({ header, records });
    }
    expected = header.lastOffset + 1;
    at = end;
  }
  return { records: new FetchedRecords(batches, limits), isUnreadable };
}

/** Waits only where there is something to decompress. */
function open(
  header: BatchHeader,
  compressed: Buffer,
  limits: FetchLimits,
  budget: ExpansionBudget,
): RecordBatch['records'] | Promise<RecordBatch['records']> {
  if (header.codec === 0 && header.contradiction === undefined) return compressed;
  return openBatch(header, compressed, limits).then((records) => {
    // A batch that expanded too far was expanded to the limit all the same.
    budget.left -= Buffer.isBuffer(records) ? records.length : limits.maxBatchBytes;
    return records;
  });
}

function oldFormat(header: BatchHeader, magic: number): RecordBatch['records'] {
  return corrupt(header, `message format ${magic}, which Kafka 4 no longer has, is not read`);
}

function sizeOf({ header, records }: RecordBatch): number {
  if (!Buffer.isBuffer(records)) return RECORD_OVERHEAD_BYTES;
  return records.length + header.recordCount * RECORD_OVERHEAD_BYTES;
}
