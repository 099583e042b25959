import { describe, expect, it } from '@jest/globals';
import { TopicEntries } from '../../src/hashes/topic-entries.ts';
import { fileHash, picture } from '../support/hash-lists.ts';

let offset = 0;
const record = (key: string | null, value: object | string | null) => ({
  key: key === null ? null : Buffer.from(key),
  value:
    value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  partition: 0,
  offset: offset++,
});

describe('the entries of a topic', () => {
  it('are what was last said of each key', () => {
    const topic = new TopicEntries();
    topic.apply(record('a', { pdq: picture(1) }));
    topic.apply(record('b', { sha256: fileHash(1), id: 'another' }));
    topic.apply(record('a', { pdq: picture(2), note: 'mended' }));
    expect(topic.entries).toEqual([
      { pdq: picture(2), note: 'mended', id: 'a' },
      { sha256: fileHash(1), id: 'b' },
    ]);
    topic.apply(record('a', null));
    expect(topic.entries).toEqual([{ sha256: fileHash(1), id: 'b' }]);
  });

  it('keep what a key said before when its record cannot be read', () => {
    const topic = new TopicEntries();
    topic.apply(record('a', { pdq: picture(1) }));
    expect(topic.apply(record('a', '{'))).toMatch(/^partition 0, offset \d+: not JSON/);
    expect(topic.entries).toEqual([{ pdq: picture(1), id: 'a' }]);
    expect(topic.faults).toHaveLength(1);
  });

  it('keep what a key said before when its record could not be taken out of its batch', () => {
    const topic = new TopicEntries();
    topic.apply(record('a', { pdq: picture(1) }));
    const fault = { code: 'event_undecodable', message: 'its batch is corrupt' } as const;
    expect(topic.apply({ ...record('a', null), fault })).toMatch(/its batch is corrupt$/);
    expect(topic.apply({ ...record(null, null), fault })).toMatch(/its batch is corrupt$/);
    expect(topic.entries).toEqual([{ pdq: picture(1), id: 'a' }]);
  });

  it.each([
    ['another record', { pdq: picture(1) }],
    ['its removal', null],
  ])('are without a fault once %s of the key has followed', (_what, value) => {
    const topic = new TopicEntries();
    topic.apply(record('a', '{"pdq":"x"}'));
    expect(topic.faults).toHaveLength(1);
    topic.apply(record('a', value));
    expect(topic.faults).toEqual([]);
  });

  it('have keys', () => {
    const topic = new TopicEntries();
    expect(topic.apply(record(null, { pdq: picture(1) }))).toMatch(/no key/);
    expect(topic.entries).toEqual([]);
  });
});
