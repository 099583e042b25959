import { createRequire } from 'node:module';

/** What kafkajs decodes of a partition's part in a fetch. */
interface FetchedPartition {
  /** In the order in which they were aborted. */
  abortedTransactions?: AbortedTransaction[] | null;
  messages: FetchedMessage[];
}

interface AbortedTransaction {
  producerId: string;
  firstOffset: string;
}

export interface FetchedMessage {
  offset: string;
  key: Buffer | null;
  isControlRecord: boolean;
  batchContext?: { producerId: string; inTransaction: boolean };
}

interface FetchResponse {
  decode(data: Buffer): Promise<{ responses: Array<{ partitions: FetchedPartition[] }> }>;
}

/** The versions of Fetch that know transactions and that kafkajs 2.2.4 speaks. */
const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];
/** Of a control record that ends a transaction by aborting it: version 0, type 0. */
const ABORT = Buffer.from([0, 0, 0, 0]);

const mended = new WeakSet<FetchResponse>();

/**
 * Makes every kafkajs consumer of this process pass over the records of aborted transactions. Its own filter expects
 * them in the order of their first records and the broker tells them in that of their ends: where transactions of
 * several producers overlap, it lets records of aborted ones through.
 */
export function mendAbortedTransactions(): void {
  const require = createRequire(import.meta.url);
  for (const version of VERSIONS) {
    const response = require(
      `kafkajs/src/protocol/requests/fetch/v${version}/response.js`,
    ) as FetchResponse;
    if (mended.has(response)) continue;
    mended.add(response);
    const decode = response.decode.bind(response);
    response.decode = async (data) => {
      const decoded = await decode(data);
      for (const partition of decoded.responses.flatMap(({ partitions }) => partitions)) {
        hideAborted(partition);
      }
      return decoded;
    };
  }
}

/**
 * Marks the records of aborted transactions as control records, which kafkajs counts and does not hand out. As the
 * Java client does it: a transaction begins at its first offset and ends at its producer's next abort marker.
 */
export function hideAborted(partition: FetchedPartition): void {
  const { abortedTransactions, messages } = partition;
  if (!abortedTransactions?.length) return;
  const coming = abortedTransactions.toSorted((a, b) => compare(a.firstOffset, b.firstOffset));
  const aborted = new Set<string>();
  for (const message of messages) {
    while (coming[0] && compare(coming[0].firstOffset, message.offset) <= 0) {
      aborted.add((coming.shift() as AbortedTransaction).producerId);
    }
    const { producerId, inTransaction } = message.batchContext ?? {};
    if (producerId === undefined || !inTransaction) continue;
    if (!message.isControlRecord) message.isControlRecord = aborted.has(producerId);
    else if (message.key?.equals(ABORT)) aborted.delete(producerId);
  }
  partition.abortedTransactions = []; // nothing is left to be filtered
}

function compare(a: string, b: string): number {
  return Number(BigInt(a) - BigInt(b));
}
