import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import type { ListEntry, ListSpec } from '../../src/hashes/hash-list.ts';
import { openHashLists, type HashLists, type ListTelemetry } from '../../src/hashes/lists.ts';
import type { ListSource } from '../../src/hashes/list-source.ts';
import { MemoryList } from '../../src/hashes/memory-list.ts';
import { noLogger } from '../../src/logger.ts';
import { blockList, fileHash, nearly, picture } from '../support/hash-lists.ts';

interface Listed {
  spec?: Partial<ListSpec>;
  source: ListSource;
}

function openLists(lists: Listed[], telemetry?: ListTelemetry): Promise<HashLists> {
  const specs = lists.map(({ spec, source }) => ({ spec: blockList(spec), source }));
  return openHashLists({ lists: specs, logger: noLogger, telemetry });
}

const memory = (...entries: ListEntry[]) => new MemoryList(entries);
const image = { sha256: fileHash(1), pdq: nearly(1, 0) };

describe('all lists', () => {
  it('match strongest first: block, allow, negative, then the nearest, then by id', async () => {
    const lists = await openLists([
      { spec: { id: 'n', kind: 'negative', policies: ['a'] }, source: memory({ pdq: picture(1) }) },
      { spec: { id: 'a', kind: 'allow' }, source: memory({ sha256: fileHash(1) }) },
      { spec: { id: 'b2', mode: 'shadow' }, source: memory({ pdq: picture(1, 5) }) },
      { spec: { id: 'b3' }, source: memory({ pdq: picture(1, 4) }, { pdq: picture(1, 7) }) },
      { spec: { id: 'b1' }, source: memory({ pdq: picture(1, 5) }) },
      { spec: { id: 'b4' }, source: memory({ pdq: picture(2) }) },
    ]);
    const found = lists.match(image);
    expect(found.map(({ list }) => list)).toEqual(['b3', 'b1', 'b2', 'a', 'n']);
    expect(found.map(({ distance }) => distance)).toEqual([4, 5, 5, 0, 0]);
    expect(found.at(-1)).toMatchObject({ kind: 'negative', policies: ['a'], by: 'pdq' });
  });

  it('match nothing when there are none', async () => {
    const lists = await openLists([]);
    expect(lists.match(image)).toEqual([]);
    expect(lists.needsPdq).toBe(false);
    expect(lists.version).toBe('');
  });

  it('need the PDQ hash when a list holds one, or may come to', async () => {
    const source = memory({ sha256: fileHash(1) });
    const lists = await openLists([{ source }]);
    expect(lists.needsPdq).toBe(false);
    source.set([{ pdq: picture(1) }]);
    expect(lists.needsPdq).toBe(true);

    const growing = Object.assign(memory(), { mayHoldPdq: true });
    expect((await openLists([{ source: growing }])).needsPdq).toBe(true);
  });

  it('follow their sources, and keep what they have when a change cannot be used', async () => {
    const told: unknown[] = [];
    const source = memory();
    const lists = await openLists([{ source }], {
      listLoaded: (...what) => told.push(what),
      listFailed: (...what) => told.push(what),
    });
    source.set([{ sha256: fileHash(1) }]);
    expect(lists.match(image)).toHaveLength(1);
    const { version } = lists;
    source.fail(new AppError('list_invalid', 'unreadable'));
    expect(lists.match(image)).toHaveLength(1);
    expect(lists.version).toBe(version);
    expect(told).toEqual([['known', 0], ['known', 1], ['known']]);
  });

  it('have one version for one content, in whatever order they are configured', async () => {
    const listed = [
      { spec: { id: 'x' }, source: memory({ pdq: picture(1) }) },
      { spec: { id: 'y' }, source: memory({ pdq: picture(2) }) },
    ];
    const version = (await openLists(listed)).version;
    expect((await openLists(listed.toReversed())).version).toBe(version);
    listed[0]?.source.set([]);
    expect((await openLists(listed)).version).not.toBe(version);
  });

  it('are all closed when one cannot be opened', async () => {
    const closed: string[] = [];
    const good: ListSource = {
      name: 'good',
      mayHoldPdq: false,
      open: (watcher) => {
        watcher.changed([]);
        return Promise.resolve();
      },
      close: () => Promise.resolve(void closed.push('good')),
    };
    const fault = new AppError('list_invalid', 'unreadable');
    const bad: ListSource = {
      ...good,
      open: () => Promise.reject(fault),
      close: () => Promise.resolve(void closed.push('bad')),
    };
    const opening = openLists([
      { spec: { id: 'g' }, source: good },
      { spec: { id: 'b' }, source: bad },
    ]);
    await expect(opening).rejects.toBe(fault);
    expect(closed.sort()).toEqual(['bad', 'good']);
  });
});
