import { beforeEach, describe, expect, it } from '@jest/globals';
import type { KafkaEventSourceOptions } from '../../src/consumers/kafka-options.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { byNow, joinedGroup, type FakeGroup } from '../support/fake-group.ts';
import { offsets, upTo } from '../support/puller.ts';

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

function joined(
  partitions: number[],
  options: Partial<KafkaEventSourceOptions> = {},
): { group: FakeGroup; member: FakeGroup['member']; puller: FakeGroup['puller'] } {
  const group = joinedGroup(partitions, { clock, ...options });
  return { group, member: group.member, puller: group.puller };
}

describe('the Kafka source', () => {
  it('joins the group with the first pull, and once', async () => {
    const { member, puller } = joined([0]);
    expect(member.log).toEqual([]);
    void puller.next();
    await settle();
    expect(member.log).toEqual(['run']);
  });

  it('is paused while records wait and nothing pulls, and has no room for more of that partition', async () => {
    const { group, member, puller } = joined([0, 1], { maxFetchBytes: 2 ** 20 });
    const room = (partition: number): number =>
      member.options.handler.roomFor({ topic: 'images', partition });
    const first = puller.next();
    await settle();
    expect(group.source.status().paused).toBe(false);
    member.fetch(0, upTo(20_000)); // 2 MB, of 2 MiB that it may hold
    expect((await first)?.record.offset).toBe(0);
    expect(group.source.status().paused).toBe(true);
    expect(room(0)).toBe(0);
    expect(room(1)).toBeGreaterThan(2 ** 20);
    expect(offsets(await puller.take(3))).toEqual([1, 2, 3]);
  });

  it('hands out no more of a partition than its window, and goes on once the first is resolved', async () => {
    const { member, puller } = joined([0], { window: 2 });
    member.fetch(0, [0, 1, 2]);
    const [zero] = await puller.take(2);
    const next = puller.next();
    expect(await byNow(next)).toBe('waiting');
    zero?.resolve();
    expect((await next)?.record.offset).toBe(2);
  });
});

describe('the Kafka source in a rebalance', () => {
  it('goes on with a partition that it keeps: nothing of it is revoked or delivered again', async () => {
    const { member, puller } = joined([0, 1]);
    member.fetch(0, [0, 1, 2]);
    const taken = await puller.take(2);
    void member.rebalance();
    await clock.advance(2_000);
    member.assign({ kept: [0] });
    expect(taken.map(({ revoked }) => revoked.aborted)).toEqual([false, false]);
    const [two] = await puller.take(1);
    expect(two?.record.offset).toBe(2);
    for (const delivery of [...taken, two]) delivery?.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual(['0@3']);
  });

  it('hands out nothing between the call for a rebalance and the new assignment', async () => {
    const { member, puller } = joined([0]);
    member.fetch(0, [0]);
    const rebalancing = member.rebalance();
    const next = puller.next();
    await clock.advance(1_000);
    await rebalancing;
    expect(await byNow(next)).toBe('waiting');
    member.assign({ kept: [0] });
    expect((await next)?.record.offset).toBe(0);
  });

  it('waits a moment for what is in flight and commits it before the group is joined again', async () => {
    const { member, puller } = joined([0], { revokeDrainMs: 1_000, commitIntervalMs: 60_000 });
    member.fetch(0, [0, 1]);
    const [zero, one] = await puller.take(2);
    const rebalancing = member.rebalance();
    await clock.advance(500);
    zero?.resolve();
    await clock.advance(100);
    expect(member.commits).toEqual([]);
    one?.resolve();
    await clock.advance(50);
    await rebalancing;
    expect(member.commits).toEqual(['0@2']);
  });

  it('does not wait longer than it may, nor for a record that waits for an absent dependency', async () => {
    const { member, puller } = joined([0], { revokeDrainMs: 1_000 });
    member.fetch(0, [0]);
    const [zero] = await puller.take(1);
    const rebalancing = member.rebalance();
    await clock.advance(999);
    expect(await byNow(rebalancing)).toBe('waiting');
    await clock.advance(30);
    await rebalancing;
    zero?.park();
    await member.rebalance();
    expect(member.commits).toEqual([]);
  });

  it('joins again even if the broker does not answer the commit', async () => {
    const { member, puller } = joined([0], { revokeDrainMs: 1_000 });
    member.answer = () => new Promise(() => undefined);
    member.fetch(0, [0]);
    for (const delivery of await puller.take(1)) delivery.resolve();
    const rebalancing = member.rebalance();
    await clock.advance(1_000);
    await rebalancing;
  });

  it('never commits a partition that it has lost, however late its records are resolved', async () => {
    const { group, member, puller } = joined([0, 1]);
    member.fetch(0, [0]);
    const [lost] = await puller.take(1);
    member.assign({ kept: [1] });
    expect(lost?.revoked.aborted).toBe(true);
    lost?.resolve();
    member.fetch(1, [0]);
    for (const delivery of await puller.take(1)) delivery.resolve();
    await clock.advance(5_000);
    expect(member.commits).toEqual(['1@1']);
    expect(group.source.status().partitions.map(({ partition }) => partition)).toEqual([1]);
  });

  it('hands out nothing of a lost partition that was fetched before, or that comes late', async () => {
    const { member, puller } = joined([0, 1]);
    member.fetch(0, [0, 1]);
    member.assign({ kept: [1] });
    member.fetch(0, [2]);
    const next = puller.next();
    expect(await byNow(next)).toBe('waiting');
    member.fetch(1, [5]);
    expect((await next)?.record).toMatchObject({ partition: 1, offset: 5 });
  });

  it('delivers again what was in flight of a partition that it lost and gains once more', async () => {
    const { member, puller } = joined([0]);
    member.fetch(0, [0]);
    const [late] = await puller.take(1);
    member.assign({ gained: [0] });
    member.ready(0);
    member.fetch(0, [0, 1]);
    const again = await puller.take(2);
    late?.resolve();
    await clock.advance(5_000);
    expect(member.commits).toEqual([]);
    for (const delivery of again) delivery.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual(['0@2']);
  });

  it('counts a parked record of a lost partition no more: a suspect still runs alone', async () => {
    const { member, puller } = joined([0, 1], { windowWhileParked: 8 });
    member.fetch(0, [0]);
    const [parked] = await puller.take(1);
    parked?.park();
    member.fetch(1, [0]);
    const [busy] = await puller.take(1);
    member.assign({ kept: [1], gained: [2] });
    member.ready(2, { metadata: '{"v":"moderato-suspects-1","s":[[0,1,0]],"f":"boom"}' });
    member.fetch(2, [0]);
    const suspect = puller.next();
    expect(await byNow(suspect)).toBe('waiting');
    busy?.resolve();
    expect((await suspect)?.suspicion).toMatchObject({ deaths: 1 });
  });
});

describe('the positions of the Kafka source', () => {
  it('count control records and gaps once the records before them are resolved', async () => {
    const { group, member, puller } = joined([0]);
    member.fetch(0, [0, 1], 5);
    const taken = await puller.take(2);
    member.fetch(0, [], 8);
    await clock.advance(1_000);
    expect(member.commits).toEqual([]);
    taken[1]?.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual([]);
    taken[0]?.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual(['0@8']);
    expect(group.statusOf(0)).toMatchObject({ committed: 8, lag: 0 });
  });

  it('do not count a gap behind records that wait to be handed out', async () => {
    const { member, puller } = joined([0]);
    member.fetch(0, [0, 1]);
    member.fetch(0, [], 9);
    const [zero] = await puller.take(1);
    zero?.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual(['0@1']);
    for (const delivery of await puller.take(1)) delivery.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual(['0@1', '0@9']);
  });

  it('know the lag of partitions that have nothing to read, and ask for their ends now and then', async () => {
    const { group, member, puller } = joined([0, 1], { lagIntervalMs: 30_000 });
    void puller.next();
    member.end(0, 40);
    expect([group.statusOf(0)?.lag, group.statusOf(1)?.lag]).toEqual([40, null]);
    await clock.advance(30_000);
    expect(member.log).toEqual(['run', 'refreshEnds']);
  });

  it('are committed at most once an interval, and what failed is made up for', async () => {
    const { group, member, puller } = joined([0]);
    member.fetch(0, [0]);
    for (const delivery of await puller.take(1)) delivery.resolve();
    member.answer = () => Promise.reject(new Error('connection lost'));
    await clock.advance(1_000);
    expect([member.commits, group.statusOf(0)?.committed]).toEqual([[], 0]);
    member.answer = () => Promise.resolve();
    await clock.advance(999);
    expect(member.commits).toEqual([]);
    await clock.advance(1);
    expect(member.commits).toEqual(['0@1']);
    expect(group.statusOf(0)?.committed).toBe(1);
  });

  it('move past records that retention has deleted, once those before are resolved', async () => {
    const { member, puller } = joined([0]);
    member.fetch(0, [0]);
    const [zero] = await puller.take(1);
    member.options.handler.onDeleted({ topic: 'images', partition: 0, from: 1, to: 50 });
    await clock.advance(1_000);
    expect(member.commits).toEqual([]);
    zero?.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual(['0@50']);
    expect(zero?.revoked.aborted).toBe(false);
  });

  it('begin again with a log that begins again, and are committed although they are lower', async () => {
    const { member, puller } = joined([]);
    member.assign({ gained: [0] });
    member.ready(0, { committed: 100 });
    member.options.handler.onDeleted({ topic: 'images', partition: 0, from: 100, to: 0 });
    member.fetch(0, [0, 1]);
    for (const delivery of await puller.take(2)) delivery.resolve();
    await clock.advance(1_000);
    expect(member.commits).toEqual(['0@2']);
  });

  it('are committed a last time at close, before the group is left; a late resolve has no effect', async () => {
    const { group, member, puller } = joined([0]);
    member.fetch(0, [0, 1]);
    const [zero, one] = await puller.take(2);
    zero?.resolve();
    await group.source.close();
    one?.resolve();
    await clock.advance(5_000);
    expect(member.commits).toEqual(['0@1']);
    expect(member.log).toEqual(['run', 'stopFetching', 'close']);
    expect(clock.sleeping).toBe(0);
  });
});

describe('parked records', () => {
  it('stop their partition and no other with a window of 0, until the last is unparked', async () => {
    const { member, puller } = joined([0, 1], { windowWhileParked: 0 });
    member.fetch(0, [0, 1, 2]);
    const unpark = (await puller.take(2)).map((delivery) => delivery.park());
    member.fetch(1, [0]);
    expect((await puller.take(1))[0]?.record.partition).toBe(1);
    const next = puller.next();
    unpark[0]?.();
    unpark[0]?.();
    expect(await byNow(next)).toBe('waiting');
    unpark[1]?.();
    expect((await next)?.record).toMatchObject({ partition: 0, offset: 2 });
  });

  it('let a partition go on as far as its window with at-least-once', async () => {
    const { member, puller } = joined([0], { window: 3 });
    member.fetch(0, [0, 1, 2, 3]);
    (await puller.take(1))[0]?.park();
    expect(offsets(await puller.take(2))).toEqual([1, 2]);
    expect(await byNow(puller.next())).toBe('waiting');
  });
});
