import { afterEach, describe, expect, it } from '@jest/globals';
import { TopicList } from '../../src/hashes/topic-list.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { FakeKafka, protocolError } from '../support/fake-kafka.ts';
import { RecordingWatcher } from '../support/list-source-conformance.ts';

const opened: TopicList[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((list) => list.close()));
});

/** A list in a topic of two partitions of 100 offsets, whose consumer has joined. */
async function openList() {
  const broker = new FakeKafka();
  const clock = new FakeClock();
  const watcher = new RecordingWatcher();
  const list = new TopicList({ kafka: broker.kafka, topic: 'images', clock });
  opened.push(list);
  const opening = list.open(watcher);
  opening.catch(() => undefined);
  await settle();
  broker.current.join('images', [0, 1]);
  return { broker, clock, watcher, list, opening };
}

const batch = (partition: number, lastOffset: number) => ({
  topic: 'images',
  partition,
  lastOffset: String(lastOffset),
});

describe('a list in a topic', () => {
  it('is open when every partition has come to its end, be it by markers alone', async () => {
    const { broker, watcher, opening } = await openList();
    broker.current.emit('END_BATCH_PROCESS', batch(0, 99));
    broker.current.emit('END_BATCH_PROCESS', batch(1, 98));
    await settle();
    expect(watcher.told).toEqual([]);
    broker.current.emit('END_BATCH_PROCESS', batch(1, 99));
    await opening;
    expect(watcher.told).toEqual([[]]);
  });

  it('goes on where it was when its consumer joins anew', async () => {
    const { broker } = await openList();
    broker.current.emit('END_BATCH_PROCESS', batch(1, 41));
    broker.current.join('images', [0, 1]);
    expect(broker.current.log).toEqual(['seek 0/0', 'seek 1/0', 'seek 0/0', 'seek 1/42']);
  });

  it('begins again after a while, where it was, when kafkajs has given up', async () => {
    const { broker, clock, watcher, opening } = await openList();
    for (const partition of [0, 1]) {
      broker.current.emit('END_BATCH_PROCESS', batch(partition, 99));
    }
    await opening;
    const first = broker.current;
    const error = protocolError('TOPIC_AUTHORIZATION_FAILED', { retriable: false });
    first.emit('CRASH', { error, restart: false });
    await settle();
    expect(first.log.at(-1)).toBe('disconnect');
    expect(watcher.told.at(-1)).toMatchObject({ code: 'kafka_unauthorized' });
    await clock.advance(5_000);
    expect(broker.current).not.toBe(first);
    broker.current.join('images', [0, 1]);
    expect(broker.current.log).toEqual(['seek 0/100', 'seek 1/100']);
  });

  it('leaves to kafkajs what kafkajs tries again', async () => {
    const { broker } = await openList();
    const first = broker.current;
    first.emit('CRASH', { error: protocolError('NOT_COORDINATOR_FOR_GROUP'), restart: true });
    await settle();
    expect(broker.current).toBe(first);
    expect(first.log).not.toContain('disconnect');
  });

  it('cannot be opened when kafkajs gives up before', async () => {
    const { broker, opening } = await openList();
    const error = protocolError('TOPIC_AUTHORIZATION_FAILED', { retriable: false });
    broker.current.emit('CRASH', { error, restart: false });
    await expect(opening).rejects.toMatchObject({ code: 'kafka_unauthorized' });
  });

  it('cannot be opened when its end does not come', async () => {
    const { clock, opening } = await openList();
    await clock.advance(120_000);
    await expect(opening).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringContaining('reading the list topic images'),
    });
  });

  it('can be closed while it is being opened', async () => {
    const { broker, list, opening } = await openList();
    await list.close();
    await expect(opening).rejects.toMatchObject({ code: 'aborted' });
    expect(broker.current.log.at(-1)).toBe('disconnect');
  });
});
