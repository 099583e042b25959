import { beforeEach, describe, expect, it } from '@jest/globals';
import { followTopics, readRanges, type TopicReaderOptions } from '../../src/kafka/read-range.ts';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import { FakeBrokers } from '../support/fake-brokers.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

let brokers: FakeBrokers;
let clock: FakeClock;
let seen: string[];
beforeEach(() => {
  brokers = new FakeBrokers();
  clock = new FakeClock();
  seen = [];
});

const note: TopicReaderOptions['onRecord'] = ({ partition, offset }) =>
  void seen.push(`${partition}/${offset}`);

function read(from: number, to: number, options: Partial<TopicReaderOptions> = {}): Promise<void> {
  const reading = readRanges({
    kafka: brokers.kafka,
    ranges: [{ topic: 'images', partition: 0, from, to }],
    onRecord: note,
    clock,
    ...options,
  });
  reading.catch(() => undefined);
  return reading;
}

describe('reading a range', () => {
  it('begins at its first offset and ends with its last record', async () => {
    brokers.add('images', 30);
    await read(10, 13);
    expect(seen).toEqual(['0/10', '0/11', '0/12']);
    expect(brokers.fetched).toEqual(['1: images/0/10']);
    expect(brokers.disconnects).toBe(1);
  });

  it('ends when nothing but markers and aborted records is left', async () => {
    const [images] = brokers.add('images', 5);
    images?.messages.push({ offset: 5, isControlRecord: true });
    await read(3, 6);
    expect(seen).toEqual(['0/3', '0/4']);
  });

  it('passes over records that were compacted away', async () => {
    const [images] = brokers.add('images', 0);
    images?.messages.push({ offset: 4 }, { offset: 9 });
    await read(0, 10);
    expect(seen).toEqual(['0/4', '0/9']);
  });

  it('asks the new leader after a leader has moved, and hands nothing over twice', async () => {
    const [images] = brokers.add('images', 4);
    if (images) brokers.beforeAnswer = () => void (images.leader = 2);
    const reading = read(0, 4);
    await clock.advance(1_000);
    await reading;
    expect(brokers.fetched).toEqual(['1: images/0/0', '2: images/0/0']);
    expect(seen).toEqual(['0/0', '0/1', '0/2', '0/3']);
  });

  it('goes on after a connection was lost', async () => {
    brokers.add('images', 2);
    let attempts = 0;
    brokers.beforeAnswer = () => {
      attempts += 1;
      if (attempts < 3)
        throw Object.assign(new Error('closed'), { name: 'KafkaJSConnectionClosedError' });
    };
    const reading = read(0, 2);
    await clock.advance(2_000);
    await reading;
    expect(seen).toEqual(['0/0', '0/1']);
  });

  it('goes on where the partition begins when retention has cut off its head', async () => {
    const [images] = brokers.add('images', 10);
    if (images) images.start = 7;
    if (images) images.messages = images.messages.slice(7);
    const reading = read(2, 10);
    await clock.advance(1_000);
    await reading;
    expect(seen).toEqual(['0/7', '0/8', '0/9']);
  });

  it('fails when the partition ends before the range goes on', async () => {
    brokers.add('images', 5);
    await expect(read(9, 20)).rejects.toMatchObject({
      code: 'range_unreadable',
      message: expect.stringContaining('images/0 ends before offset 9') as unknown,
    });
  });

  it('ends with what the handler throws, as it is, even if it looks like an outage', async () => {
    brokers.add('images', 5);
    const cause = Object.assign(new Error('closed'), { name: 'KafkaJSConnectionError' });
    const outage = new Error('writing failed', { cause });
    const onRecord = (record: KafkaRecord) => {
      seen.push(`0/${record.offset}`);
      throw outage;
    };
    await expect(read(0, 5, { onRecord })).rejects.toBe(outage);
    expect(seen).toEqual(['0/0']);
  });

  it('fails at once when it is not allowed', async () => {
    const [images] = brokers.add('images', 5);
    if (images) images.errorCode = 29; // TOPIC_AUTHORIZATION_FAILED
    await expect(read(0, 5)).rejects.toMatchObject({ code: 'kafka_unauthorized' });
    expect(brokers.disconnects).toBe(1);
  });

  it('reads what other brokers have before it fails', async () => {
    const partitions = brokers.add('images', 5, 5);
    if (partitions[1]) partitions[1].errorCode = 29;
    const ranges = [0, 1].map((partition) => ({ topic: 'images', partition, from: 0, to: 5 }));
    await expect(read(0, 0, { ranges })).rejects.toMatchObject({ code: 'kafka_unauthorized' });
    expect(seen).toHaveLength(5);
  });

  it('gives up a topic that no broker knows any more after 10 s', async () => {
    brokers.add('images', 5);
    brokers.beforeAnswer = () => brokers.topics.clear();
    const reading = read(0, 5);
    await clock.advance(9_000);
    await clock.advance(4_000);
    await expect(reading).rejects.toMatchObject({ code: 'topic_missing' });
  });

  it('fails with the last error when nothing came after it', async () => {
    const [images] = brokers.add('images', 5);
    if (images) images.errorCode = 5; // LEADER_NOT_AVAILABLE
    const reading = read(0, 5, { stallTimeoutMs: 5_000 });
    await clock.advance(8_000);
    await expect(reading).rejects.toMatchObject({ code: 'kafka_unavailable' });
  });

  it('says how far it came when nothing comes any more', async () => {
    brokers.add('images', 12);
    const reading = read(10, 20, { stallTimeoutMs: 5_000 });
    await clock.advance(6_000);
    await expect(reading).rejects.toMatchObject({
      code: 'range_unreadable',
      message: expect.stringContaining('images/0 at 12 of 20') as unknown,
    });
    expect(seen).toEqual(['0/10', '0/11']);
  });

  it('stops when told to, even while a broker does not answer', async () => {
    brokers.add('images', 5);
    brokers.beforeAnswer = () => new Promise(() => undefined);
    const stopping = new AbortController();
    const reading = read(0, 5, { signal: stopping.signal });
    await settle();
    stopping.abort();
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
  });

  it('gives every partition its turn to be first in a request', async () => {
    brokers.add('images', 1, 1, 1);
    const ranges = [0, 1, 2].map((partition) => ({ topic: 'images', partition, from: 0, to: 9 }));
    const reading = read(0, 0, { ranges, stallTimeoutMs: 1_000 });
    await clock.advance(2_000);
    await expect(reading).rejects.toMatchObject({ code: 'range_unreadable' });
    const firsts = brokers.fetched
      .filter((_, at) => at % 3 === 0)
      .map((text) => text.split('/')[1]);
    expect(firsts.slice(0, 4)).toEqual(['0', '1', '2', '0']);
  });
});

describe('following topics', () => {
  it('reads on, finds partitions that are added, and ends when told to', async () => {
    const [first] = brokers.add('images', 2);
    const stopping = new AbortController();
    const positions = [{ topic: 'images', partition: 0, from: 1 }];
    const following = followTopics({
      kafka: brokers.kafka,
      positions,
      onRecord: note,
      clock,
      signal: stopping.signal,
    });
    await clock.advance(1_000);
    expect(seen).toEqual(['0/1']);
    first?.messages.push({ offset: 2 });
    brokers.topics.get('images')?.push({
      leader: 1,
      start: 0,
      messages: [{ offset: 0 }],
      errorCode: 0,
    });
    brokers.learn();
    await clock.advance(1_000);
    expect(seen).toEqual(['0/1', '0/2', '1/0']);
    stopping.abort();
    await following;
  });

  it('begins at the beginning of a topic that was created again', async () => {
    const [images] = brokers.add('images', 9);
    const stopping = new AbortController();
    const following = followTopics({
      kafka: brokers.kafka,
      positions: [{ topic: 'images', partition: 0, from: 9 }],
      onRecord: note,
      clock,
      signal: stopping.signal,
    });
    await clock.advance(500);
    if (images) images.messages = [{ offset: 0 }];
    await clock.advance(500);
    expect(seen).toEqual(['0/0']);
    stopping.abort();
    await following;
  });
});
