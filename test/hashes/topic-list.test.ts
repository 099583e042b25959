import { afterEach, describe, expect, it } from '@jest/globals';
import { TopicList } from '../../src/hashes/topic-list.ts';
import { FakeBrokers } from '../support/fake-brokers.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { RecordingWatcher } from '../support/list-source-conformance.ts';

const opened: TopicList[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((list) => list.close()));
});

const hidden = (offset: number) => ({ offset, isControlRecord: true });

/** A list in a topic of two partitions, which hold nothing but transactions' markers. */
function setUp() {
  const brokers = new FakeBrokers();
  const partitions = brokers.add('lists', 0, 0);
  for (const { messages } of partitions) messages.push(hidden(0), hidden(1));
  const clock = new FakeClock();
  const watcher = new RecordingWatcher();
  const list = new TopicList({ kafka: brokers.kafka, topic: 'lists', clock });
  opened.push(list);
  const open = (): Promise<void> => {
    const opening = list.open(watcher);
    opening.catch(() => undefined);
    return opening;
  };
  return { brokers, partitions, clock, watcher, list, open };
}

describe('a list in a topic', () => {
  it('is open when every partition has come to its end, be it by markers alone', async () => {
    const { partitions, clock, watcher, open } = setUp();
    if (partitions[1]) partitions[1].errorCode = 5; // LEADER_NOT_AVAILABLE
    const opening = open();
    await clock.advance(1_000);
    expect(watcher.told).toEqual([]);
    if (partitions[1]) partitions[1].errorCode = 0;
    await clock.advance(5_000);
    await opening;
    expect(watcher.told).toEqual([[]]);
  });

  it('begins again after a while, where it was, when reading has failed', async () => {
    const { brokers, partitions, clock, watcher, open } = setUp();
    await open();
    for (const each of partitions) each.errorCode = 29; // TOPIC_AUTHORIZATION_FAILED
    await clock.advance(1_000);
    expect(watcher.told.at(-1)).toMatchObject({ code: 'kafka_unauthorized' });
    expect([brokers.connects, brokers.disconnects]).toEqual([1, 1]);
    for (const each of partitions) each.errorCode = 0;
    brokers.fetched.length = 0;
    await clock.advance(5_000);
    expect(brokers.connects).toBe(2);
    expect(brokers.fetched.slice(0, 2).sort()).toEqual(['1: lists/0/2', '1: lists/1/2']);
  });

  it('keeps what a key said before when a record cannot be taken out of its batch, and says so', async () => {
    const { partitions, clock, watcher, open } = setUp();
    await open();
    partitions[0]?.messages.push({ offset: 2, value: 'not JSON' });
    await clock.advance(1_000);
    expect(watcher.told.at(-1)).toMatchObject({
      code: 'list_invalid',
      message: expect.stringContaining('partition 0, offset 2') as unknown,
    });
  });

  it('cannot be opened when reading fails before', async () => {
    const { partitions, open } = setUp();
    if (partitions[1]) partitions[1].errorCode = 29;
    await expect(open()).rejects.toMatchObject({ code: 'kafka_unauthorized' });
  });

  it('cannot be opened when its end does not come', async () => {
    const { brokers, clock, open } = setUp();
    brokers.connecting = new Promise(() => undefined);
    const opening = open();
    await clock.advance(120_000);
    await expect(opening).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringContaining('reading the list topic lists'),
    });
  });

  it('can be closed while it is being opened', async () => {
    const { brokers, list, open } = setUp();
    brokers.beforeAnswer = () => new Promise(() => undefined);
    const opening = open();
    await settle();
    await list.close();
    await expect(opening).rejects.toMatchObject({ code: 'aborted' });
    expect(brokers.disconnects).toBe(1);
  });
});
