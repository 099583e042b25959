import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hideAborted, type FetchedMessage } from '../../src/kafka/aborted-transactions.ts';

type Step = { producer: number; does: 'write' | 'commit' | 'abort' };

const steps = fc.array(
  fc.record({
    producer: fc.nat({ max: 3 }),
    does: fc.constantFrom<Step['does']>('write', 'write', 'write', 'commit', 'abort'),
  }),
  { maxLength: 60 },
);

/** A partition's log, the transactions aborted in it as a broker tells them, and which records were committed. */
function logOf(written: readonly Step[]) {
  const messages: FetchedMessage[] = [];
  const aborted: Array<{ producerId: string; firstOffset: string }> = [];
  const committed: string[] = [];
  const open = new Map<number, string[]>();
  for (const { producer, does } of written) {
    const offset = String(messages.length);
    const batchContext = { producerId: String(producer), inTransaction: true };
    const records = open.get(producer) ?? [];
    if (does === 'write') {
      open.set(producer, [...records, offset]);
      messages.push({ offset, key: null, isControlRecord: false, batchContext });
    } else if (records.length > 0) {
      open.delete(producer);
      const key = Buffer.from([0, 0, 0, does === 'abort' ? 0 : 1]);
      messages.push({ offset, key, isControlRecord: true, batchContext });
      // In the order of their ends, as in the broker's index.
      if (does === 'abort')
        aborted.push({ producerId: String(producer), firstOffset: records[0] ?? '' });
      else committed.push(...records);
    }
  }
  // What is open yet lies behind the last stable offset, which a broker does not tell of.
  const stable = Math.min(messages.length, ...[...open.values()].map(([first]) => Number(first)));
  return {
    messages,
    aborted,
    committed: committed.filter((offset) => Number(offset) < stable),
    stable,
  };
}

describe('records of aborted transactions', () => {
  it('are hidden and no others, however transactions overlap and wherever a fetch begins', () => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 60 }), (written, from) => {
        const { messages, aborted, committed, stable } = logOf(written);
        const fetched = messages.slice(from, stable);
        const endOf = (producerId: string, first: string): number =>
          messages.findIndex(
            (message) =>
              message.isControlRecord &&
              Number(message.offset) > Number(first) &&
              message.batchContext?.producerId === producerId,
          );
        const partition = {
          messages: fetched,
          // Those that reach into what is fetched.
          abortedTransactions: aborted.filter(
            ({ producerId, firstOffset }) =>
              endOf(producerId, firstOffset) >= from && Number(firstOffset) < stable,
          ),
        };
        hideAborted(partition);
        const seen = partition.messages.filter(({ isControlRecord }) => !isControlRecord);
        const expected = committed.filter((offset) => Number(offset) >= from);
        expect(seen.map(({ offset }) => Number(offset))).toEqual(
          expected.map(Number).sort((a, b) => a - b),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('are told apart from records whose key looks like an abort marker', () => {
    const batchContext = { producerId: '1', inTransaction: true };
    const key = Buffer.alloc(4);
    const messages = [0, 1].map((offset) => ({
      offset: String(offset),
      key,
      isControlRecord: false,
      batchContext,
    }));
    hideAborted({ messages, abortedTransactions: [{ producerId: '1', firstOffset: '0' }] });
    expect(messages.map(({ isControlRecord }) => isControlRecord)).toEqual([true, true]);
  });
});
