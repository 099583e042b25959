import { beforeEach, describe, expect, it } from '@jest/globals';
import type { KafkaEventSourceOptions } from '../../src/consumers/kafka-options.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { byNow, joinedGroup, type FakeGroup } from '../support/fake-group.ts';

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

describe('the notes of the Kafka source', () => {
  it('name what was in flight, beside the committed offset, when the process dies', async () => {
    const { group, member, puller } = joined([0, 1]);
    member.fetch(0, [0, 1, 2]);
    const [zero] = await puller.take(3);
    zero?.resolve();
    await group.source.accuse('heap out of memory');
    expect(member.commits).toEqual(['0@1']);
    expect(JSON.parse(member.notes.get(0) ?? '')).toMatchObject({
      s: [
        [1, 1, 0],
        [2, 1, 0],
      ],
      f: 'heap out of memory',
    });
    expect(member.notes.has(1)).toBe(false);
  });

  it('make the next owner deliver a suspect alone, and are cleared with the next commit behind it', async () => {
    const { member, puller } = joined([1]);
    member.assign({ kept: [1], gained: [0] });
    const metadata = JSON.stringify({ v: 'moderato-suspects-1', s: [[7, 2, 0]], f: 'boom' });
    member.ready(0, { committed: 7, metadata });
    member.fetch(1, [0, 1]);
    const [before] = await puller.take(1);
    member.fetch(0, [7, 8]);
    const suspect = puller.next();
    expect(await byNow(suspect)).toBe('waiting');
    before?.resolve();
    const alone = await suspect;
    expect(alone?.suspicion).toEqual({ deaths: 2, alone: 0, fault: 'boom' });
    const others = puller.next();
    expect(await byNow(others)).toBe('waiting');
    alone?.resolve();
    expect((await others)?.suspicion).toBeUndefined();
    await clock.advance(1_000);
    expect(member.commits).toContain('0@8');
    expect(member.notes.get(0)).toBe('');
  });

  it('say that a record was alone in flight when it was', async () => {
    const { group, member, puller } = joined([0, 1], { windowWhileParked: 8 });
    member.fetch(0, [0]);
    (await puller.take(1))[0]?.park(); // waits, so it is not at work
    member.fetch(1, [3]);
    const [other] = await puller.take(1);
    await group.source.accuse('boom', [other?.record as NonNullable<typeof other>['record']]);
    expect(JSON.parse(group.source.note({ topic: 'images', partition: 1 }))).toMatchObject({
      s: [[3, 1, 1]],
    });
    expect(group.source.note({ topic: 'images', partition: 0 })).toBe('');
  });

  it('do not keep a dying process waiting for a broker that does not answer', async () => {
    const { group, member, puller } = joined([0]);
    member.answer = () => new Promise(() => undefined);
    member.fetch(0, [0]);
    await puller.take(1);
    const accused = group.source.accuse('boom');
    await clock.advance(5_000);
    await accused;
  });

  it('do not hold up other partitions for a suspect behind a parked record', async () => {
    const { member, puller } = joined([1], { windowWhileParked: 0 });
    member.assign({ kept: [1], gained: [0] });
    const metadata = JSON.stringify({ v: 'moderato-suspects-1', s: [[1, 1, 0]], f: 'boom' });
    member.ready(0, { metadata });
    member.fetch(0, [0, 1]);
    (await puller.take(1))[0]?.park();
    member.fetch(1, [0]);
    expect((await puller.take(1))[0]?.record.partition).toBe(1);
  });
});
