import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import type { OutgoingMessage } from '../../src/kafka/outgoing-message.ts';
import { OrderedEmissions, type Turn } from '../../src/producers/ordered-emissions.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

let clock: FakeClock;
let tenure: AbortController;
/** The offsets of each transaction. */
let transactions: number[][];
let fate: (offsets: number[]) => Promise<void>;

beforeEach(() => {
  clock = new FakeClock();
  tenure = new AbortController();
  transactions = [];
  fate = () => Promise.resolve();
});

function emissions(options: { lingerMs?: number; maxBytes?: () => number } = {}): OrderedEmissions {
  return new OrderedEmissions({
    revoked: tenure.signal,
    commit: (turns) => {
      const offsets = turns.map(({ record }) => record.offset);
      transactions.push(offsets);
      return fate(offsets);
    },
    lingerMs: 0,
    maxBytes: () => 900_000,
    clock,
    ...options,
  });
}

function admit(queue: OrderedEmissions, offset: number): Turn {
  queue.admit({
    record: { topic: 'images', partition: 0, offset },
    revoked: tenure.signal,
    rewind: () => tenure.abort(),
  });
  const turn = queue.turnOf(offset);
  if (!turn) throw new Error('it has no turn');
  return turn;
}

const weighing = (bytes: number): OutgoingMessage[] => [
  { topic: 'verdicts', key: null, value: Buffer.alloc(bytes), headers: [] },
];

async function codeOf(turn: Turn): Promise<unknown> {
  return turn.done.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.code : error),
  );
}

describe('ordered emissions', () => {
  it('wait for the oldest record, then share a transaction', async () => {
    const queue = emissions();
    const [a, b, c] = [admit(queue, 4), admit(queue, 7), admit(queue, 8)];
    c.ready(weighing(1));
    b.ready(weighing(1));
    await settle();
    expect(transactions).toEqual([]);
    a.ready(weighing(1));
    expect(await Promise.all([a, b, c].map(codeOf))).toEqual(['done', 'done', 'done']);
    expect(transactions).toEqual([[4, 7, 8]]);
  });

  it('gather while a transaction runs, one at a time', async () => {
    let end = (): void => undefined;
    fate = () => new Promise((resolve) => (end = resolve));
    const queue = emissions();
    const turns = [0, 1, 2].map((offset) => admit(queue, offset));
    turns[0]?.ready(weighing(1));
    await settle();
    turns[1]?.ready(weighing(1));
    turns[2]?.ready(weighing(1));
    await settle();
    expect(transactions).toEqual([[0]]);
    end();
    await settle();
    expect(transactions).toEqual([[0], [1, 2]]);
  });

  it('linger for others after a pause', async () => {
    const queue = emissions({ lingerMs: 5 });
    const turns = [0, 1].map((offset) => admit(queue, offset));
    turns[0]?.ready(weighing(1));
    await clock.advance(4);
    turns[1]?.ready(weighing(1));
    expect(transactions).toEqual([]);
    await clock.advance(1);
    expect(transactions).toEqual([[0, 1]]);
  });

  it('stay below what one request may hold; a larger emission travels alone', async () => {
    const queue = emissions();
    const turns = [0, 1, 2, 3].map((offset) => admit(queue, offset));
    [500_000, 500_000, 2_000_000, 1].forEach((bytes, at) => turns[at]?.ready(weighing(bytes)));
    await Promise.all(turns.map(({ done }) => done));
    expect(transactions).toEqual([[0], [1], [2], [3]]);
  });

  it('go back when the partition is revoked: those ready, those not, those in a transaction', async () => {
    fate = () => new Promise(() => undefined);
    const queue = emissions();
    const turns = [0, 1].map((offset) => admit(queue, offset));
    turns[0]?.ready(weighing(1));
    await settle();
    tenure.abort();
    expect(await Promise.all(turns.map(codeOf))).toEqual([
      'partition_revoked',
      'partition_revoked',
    ]);
  });

  it('stay below the limit of their topics, which may have changed since', async () => {
    let limit = 900_000;
    const queue = emissions({ maxBytes: () => limit });
    const turns = [0, 1, 2, 3].map((offset) => admit(queue, offset));
    limit = 1_000;
    turns.forEach((turn) => turn.ready(weighing(400)));
    await Promise.all(turns.map(({ done }) => done));
    expect(transactions).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('let nothing pass a record that cannot be emitted', async () => {
    fate = () => Promise.reject(new AppError('topic_missing', 'sending: no such topic'));
    const queue = emissions();
    const first = admit(queue, 0);
    first.ready(weighing(1));
    expect(await codeOf(first)).toBe('topic_missing');
    fate = () => Promise.resolve();
    const second = admit(queue, 1);
    second.ready(weighing(1));
    expect(await codeOf(second)).toBe('topic_missing');
    expect(transactions).toEqual([[0]]);
  });
});
