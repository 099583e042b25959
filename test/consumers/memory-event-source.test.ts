import { describe, expect, it } from '@jest/globals';
import { MemoryEventSource } from '../../src/consumers/memory-event-source.ts';
import { MemoryTopic, type NewRecord } from '../../src/consumers/memory-topic.ts';
import { describeEventSource } from '../support/event-source-conformance.ts';
import { numbered, offsets, Puller, upTo } from '../support/puller.ts';

describeEventSource('the memory source', (partitions) => {
  const topic = new MemoryTopic({ partitions });
  return Promise.resolve({
    produce: (records) => {
      for (const record of records) topic.append(record);
      return Promise.resolve();
    },
    open: () => new MemoryEventSource(topic),
    committed: (partition) => Promise.resolve(topic.committed(partition)),
  });
});

describe('the memory source', () => {
  it('ends after the last of a finite series, read only as far as it is pulled', async () => {
    let read = 0;
    function* series(): Generator<NewRecord> {
      for (; read < 100; read += 1) yield { value: Buffer.from(String(read)) };
    }
    const source = new MemoryEventSource(new MemoryTopic({ records: series() }));
    const puller = new Puller(source);
    await puller.take(3);
    expect(read).toBeLessThanOrEqual(4);
    await puller.take(97);
    expect(await puller.next()).toBeUndefined();
  });

  it('waits for records that come later', async () => {
    const topic = new MemoryTopic();
    const pulled = new Puller(new MemoryEventSource(topic)).next();
    topic.append({ value: Buffer.from('late') });
    expect(String((await pulled)?.record.value)).toBe('late');
  });

  it('passes on the failure of the series', async () => {
    function* series(): Generator<NewRecord> {
      throw new Error('reading folder: gone');
    }
    const source = new MemoryEventSource(new MemoryTopic({ records: series() }));
    await expect(new Puller(source).next()).rejects.toThrow('reading folder: gone');
  });

  it('keeps only what may still be read', () => {
    const topic = new MemoryTopic();
    for (const record of numbered(1, 100)) topic.append(record);
    topic.commit(0, 99);
    expect(topic.at(0, 0)).toBeUndefined();
    expect(String(topic.at(0, 99)?.value)).toBe('0/99');
    expect(topic.endOf(0)).toBe(100);
  });

  it('reads again after a rebalance what was not committed, and ignores late resolves', async () => {
    const topic = new MemoryTopic();
    for (const record of numbered(1, 6)) topic.append(record);
    const source = new MemoryEventSource(topic);
    const puller = new Puller(source);
    const before = await puller.take(4);
    before[0]?.resolve();
    source.rebalance();
    for (const delivery of before) delivery.resolve();
    expect(topic.committed()).toBe(1);

    const after = await puller.take(5);
    expect(offsets(after)).toEqual([1, 2, 3, 4, 5]);
    for (const delivery of after) delivery.resolve();
    expect(topic.committed()).toBe(6);
  });

  it('lets the partitions take turns', async () => {
    const topic = new MemoryTopic({ partitions: 3 });
    for (const record of numbered(3, 2)) topic.append(record);
    const taken = await new Puller(new MemoryEventSource(topic)).take(6);
    expect(taken.map(({ record }) => record.partition)).toEqual([...upTo(3), ...upTo(3)]);
  });
});
