import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PartitionFence } from '../../src/consumers/kafka-options.ts';
import { keyOf } from '../../src/kafka/by-topic.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { byNow, joinedGroup } from '../support/fake-group.ts';

let clock: FakeClock;
let acquired: string[];
let noted: string[];
let transactions: PartitionFence;

beforeEach(() => {
  clock = new FakeClock();
  acquired = [];
  noted = [];
  transactions = {
    acquire: (partitions, others) => {
      acquired.push(`${partitions.map(keyOf).join(',')} ${others}`);
      return Promise.resolve();
    },
    note: (commits) => {
      noted.push(...commits.map(({ partition, offset }) => `${partition}@${offset}`));
      return Promise.resolve();
    },
  };
});

describe('an event source whose offsets are committed in transactions', () => {
  it('fences off former owners before a partition is read', async () => {
    const { member } = joinedGroup([], { clock, transactions });
    const places = [2, 5].map((partition) => ({ topic: 'images', partition }));
    await member.options.handler.beforeReady?.(places, 'release');
    expect(acquired).toEqual(['images/2,images/5 release']);
  });

  it('fences off nobody without transactions', () => {
    const { member } = joinedGroup([], { clock });
    expect('beforeReady' in member.options.handler).toBe(false);
  });

  it('sends no commit of its own: it could take back that of a transaction', async () => {
    const group = joinedGroup([0], { clock, transactions });
    const { source, member, puller } = group;
    member.fetch(0, [0]);
    for (const delivery of await puller.take(1)) delivery.resolve();
    await clock.advance(5_000);
    expect(group.statusOf(0)?.committed).toBe(1);
    void member.rebalance();
    await clock.advance(5_000);
    await source.close();
    expect(member.commits).toEqual([]);
  });

  it('notes suspects in a transaction too', async () => {
    const { source, member, puller } = joinedGroup([0], { clock, transactions });
    member.fetch(0, [0, 1]);
    const [zero] = await puller.take(2);
    zero?.resolve();
    await source.accuse('boom');
    expect([noted, member.commits]).toEqual([['0@1'], []]);
  });

  it('hands out nothing of a partition behind a parked record: transactions are in order', async () => {
    const { member, puller } = joinedGroup([0], { clock, transactions });
    member.fetch(0, [0, 1]);
    const [zero] = await puller.take(1);
    const unpark = zero?.park();
    const next = puller.next();
    expect(await byNow(next)).toBe('waiting');
    unpark?.();
    expect((await next)?.record.offset).toBe(1);
  });

  it('revokes what is in flight of a rewound partition, of no other, and reads it again', async () => {
    const { member, puller } = joinedGroup([0, 1], { clock, transactions });
    member.fetch(0, [0, 1, 2]);
    member.fetch(1, [0]);
    const taken = await puller.take(3);
    const mine = taken.filter(({ record }) => record.partition === 0);
    const other = taken.find(({ record }) => record.partition === 1);
    mine[0]?.rewind();
    mine[1]?.rewind(); // of an epoch that is over
    expect(member.log.filter((line) => line.startsWith('rewind'))).toEqual(['rewind 0']);
    expect(mine.every(({ revoked }) => revoked.aborted)).toBe(true);
    expect(other?.revoked.aborted).toBe(false);
    const next = puller.next();
    expect(await byNow(next)).toBe('waiting'); // what was fetched before is gone
    member.ready(0);
    member.fetch(0, [0]);
    expect((await next)?.record).toMatchObject({ partition: 0, offset: 0 });
  });

  it('rewinds nothing for a record of a partition that is lost', async () => {
    const { member, puller } = joinedGroup([0, 1], { clock, transactions });
    member.fetch(0, [0]);
    const [zero] = await puller.take(1);
    member.assign({ kept: [1] });
    zero?.rewind();
    expect(member.log).not.toContain('rewind 0');
  });
});
