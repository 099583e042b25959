import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import type { ListEntry } from '../../src/hashes/hash-list.ts';
import { TopicList } from '../../src/hashes/topic-list.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { fileHash, picture } from '../support/hash-lists.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { listSourceConformance, RecordingWatcher } from '../support/list-source-conformance.ts';

jest.setTimeout(60_000);

const kafka = testKafka();
const opened: TopicList[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((list) => list.close()));
});

const compacted = (partitions: number): Promise<string> =>
  createTopic(kafka, partitions, { config: { 'cleanup.policy': 'compact' } });

function listOf(topic: string): TopicList {
  const list = new TopicList({ kafka, topic, clock: systemClock, reloadMs: 50 });
  opened.push(list);
  return list;
}

const valueOf = (entry: ListEntry) => ({ key: entry.id ?? '', value: JSON.stringify(entry) });

listSourceConformance('TopicList', async (entries) => {
  const topic = await compacted(1);
  await publish(kafka, topic, entries.map(valueOf));
  const known = new Set(entries.map(({ id }) => id));
  return {
    source: listOf(topic),
    // In one batch, so that the list never shows a part of the change.
    put: async (others) => {
      const gone = [...known].filter((id) => !others.some((other) => other.id === id));
      await publish(kafka, topic, [
        ...others.map(valueOf),
        ...gone.map((id) => ({ key: id ?? '', value: null })),
      ]);
      for (const { id } of others) known.add(id);
    },
    spoil: () => publish(kafka, topic, [{ key: 'spoilt', value: '{' }]),
  };
});

describe('a list in a topic', () => {
  it('is read from all partitions to their ends before it is open', async () => {
    const topic = await compacted(3);
    const entries = Array.from({ length: 300 }, (_, i) => ({ id: `e${i}`, pdq: picture(i) }));
    await publish(
      kafka,
      topic,
      entries.map((entry, i) => ({ ...valueOf(entry), partition: i % 3 })),
    );
    const watcher = new RecordingWatcher();
    await listOf(topic).open(watcher);
    expect(watcher.told).toHaveLength(1);
    expect(watcher.told[0]).toHaveLength(300);
  });

  it('is refused when the last record of a key cannot be read, and taken when it is mended', async () => {
    const topic = await compacted(1);
    await publish(kafka, topic, [
      { key: 'a', value: JSON.stringify({ sha256: fileHash(1) }) },
      { key: 'b', value: '{"sha256":"short"}' },
    ]);
    await expect(listOf(topic).open(new RecordingWatcher())).rejects.toMatchObject({
      code: 'list_invalid',
      message: expect.stringMatching(/1 fault:\npartition 0, offset 1: "short" is not a hash/),
    });
    await publish(kafka, topic, [{ key: 'b', value: null }]);
    const watcher = new RecordingWatcher();
    await listOf(topic).open(watcher);
    expect(watcher.told).toEqual([[{ sha256: fileHash(1), id: 'a' }]]);
  });

  it('is missing when there is no such topic', async () => {
    await expect(listOf(uniqueName('none')).open(new RecordingWatcher())).rejects.toMatchObject({
      code: 'topic_missing',
    });
  });

  it('needs no group', async () => {
    const groups = async (): Promise<string[]> => {
      const listed = await withAdmin(kafka, 'listing', (admin) => admin.listGroups());
      return listed.groups.map(({ groupId }) => groupId).filter((id) => /^moderato-list/.test(id));
    };
    const topic = await compacted(1);
    await publish(kafka, topic, [valueOf({ id: 'a', pdq: picture(1) })]);
    await listOf(topic).open(new RecordingWatcher());
    expect(await groups()).toEqual([]);
  });
});
