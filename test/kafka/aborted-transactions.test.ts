import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AbortedTransactions } from '../../src/kafka/aborted-transactions.ts';
import { readBatchHeader, type BatchHeader } from '../../src/kafka/fetch/batch-header.ts';
import { marker, recordBatch } from '../support/record-batch.ts';

interface Step {
  producer: number;
  does: 'write' | 'commit' | 'abort';
}

interface Written {
  header: BatchHeader;
  records: Buffer;
}

const steps = fc.array(
  fc.record({
    producer: fc.nat({ max: 3 }),
    does: fc.constantFrom<Step['does']>('write', 'write', 'write', 'commit', 'abort'),
  }),
  { maxLength: 60 },
);

async function batch(producerId: number, offset: number, does: Step['does']): Promise<Written> {
  const bytes =
    does === 'write'
      ? await recordBatch({
          baseOffset: offset,
          producerId,
          inTransaction: true,
          records: [{ offsetDelta: 0, key: Buffer.alloc(4) }], // looks like an abort marker
        })
      : await marker(offset, producerId, does);
  const framing = readBatchHeader(bytes, 0);
  if (framing.kind !== 'batch') throw new Error(framing.kind);
  return { header: framing.header, records: bytes.subarray(framing.recordsAt) };
}

/** A partition's log, the transactions aborted in it as a broker lists them, and which records were committed. */
async function logOf(written: readonly Step[]) {
  const batches: Written[] = [];
  const aborted: Array<{ producerId: string; firstOffset: number }> = [];
  const committed: number[] = [];
  const open = new Map<number, number[]>();
  for (const { producer, does } of written) {
    const offset = batches.length;
    const records = open.get(producer) ?? [];
    if (does === 'write') {
      open.set(producer, [...records, offset]);
    } else if (records.length > 0) {
      open.delete(producer);
      // In the order of their ends, as in the broker's index.
      if (does === 'abort')
        aborted.push({ producerId: String(producer), firstOffset: records[0] ?? 0 });
      else committed.push(...records);
    } else {
      continue;
    }
    batches.push(await batch(producer, offset, does));
  }
  // Transactions still open lie behind the last stable offset, up to which a broker answers.
  const stable = Math.min(batches.length, ...[...open.values()].map(([first]) => first ?? 0));
  return { batches, aborted, committed: committed.filter((offset) => offset < stable), stable };
}

describe('batches of aborted transactions', () => {
  it('are told from all others, however transactions overlap and wherever a fetch begins', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat({ max: 60 }), async (written, from) => {
        const { batches, aborted, committed, stable } = await logOf(written);
        const endOf = (producerId: string, first: number): number =>
          batches.findIndex(
            ({ header }) =>
              header.isControlBatch &&
              header.baseOffset > first &&
              header.producerId === producerId,
          );
        // The transactions that reach into what is fetched.
        const listed = aborted.filter(
          ({ producerId, firstOffset }) =>
            endOf(producerId, firstOffset) >= from && firstOffset < stable,
        );
        const transactions = new AbortedTransactions(listed);
        const seen = batches
          .slice(from, stable)
          .filter(({ header, records }) => !transactions.includes(header, records))
          .filter(({ header }) => !header.isControlBatch)
          .map(({ header }) => header.baseOffset);
        expect(seen).toEqual(committed.filter((offset) => offset >= from).sort((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });

  it('end at an unreadable marker: no commit can lie between an abort and its first record', async () => {
    const transactions = new AbortedTransactions([{ producerId: '1', firstOffset: 0 }]);
    const [first, end, next] = await Promise.all([
      batch(1, 0, 'write'),
      batch(1, 1, 'abort'),
      batch(1, 2, 'write'),
    ]);
    expect(transactions.includes(first.header, first.records)).toBe(true);
    expect(transactions.includes(end.header, Buffer.alloc(2, 0xff))).toBe(false);
    expect(transactions.includes(next.header, next.records)).toBe(false);
  });

  it('do not include records outside transactions of the same producer', async () => {
    const transactions = new AbortedTransactions([{ producerId: '1', firstOffset: 0 }]);
    const { header, records } = await batch(1, 0, 'write');
    expect(transactions.includes({ ...header, inTransaction: false }, records)).toBe(false);
  });
});
