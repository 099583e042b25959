import { mkdtemp, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { FileList } from '../../src/hashes/file-list.ts';
import type { ListEntry } from '../../src/hashes/hash-list.ts';
import { MemoryList } from '../../src/hashes/memory-list.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { picture } from '../support/hash-lists.ts';
import { listSourceConformance, RecordingWatcher } from '../support/list-source-conformance.ts';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-lists-'));
});
afterAll(() => rm(folder, { recursive: true }));

const linesOf = (entries: readonly ListEntry[]): string =>
  ['# a list', ...entries.map((entry) => JSON.stringify(entry))].join('\n');

async function write(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** Lets the source look: its sleep ends, and what it then does is done when it sleeps again. */
async function look(clock: FakeClock): Promise<void> {
  await clock.advance(5_000);
  while (clock.sleeping === 0) await clock.advance(0);
}

async function openFile(text: string) {
  const path = join(folder, `list-${count++}`);
  await write(path, text);
  const clock = new FakeClock();
  const source = new FileList({ path, hashType: 'auto', clock });
  const watcher = new RecordingWatcher();
  await source.open(watcher);
  return { path, clock, source, watcher };
}

listSourceConformance('MemoryList', (entries) => {
  const source = new MemoryList(entries);
  return Promise.resolve({
    source,
    put: (others) => {
      source.set(others);
      return Promise.resolve();
    },
    spoil: () => {
      source.fail(new AppError('list_invalid', 'unreadable'));
      return Promise.resolve();
    },
  });
});

listSourceConformance('FileList', async (entries) => {
  const path = join(folder, `list-${count++}`);
  await write(path, linesOf(entries));
  const clock = new FakeClock();
  let closed = false;
  const list = new FileList({ path, hashType: 'auto', clock });
  const change = async (text: string): Promise<void> => {
    await write(path, text);
    if (!closed) await look(clock);
  };
  return {
    source: {
      name: list.name,
      mayHoldPdq: list.mayHoldPdq,
      open: (watcher) => list.open(watcher),
      close: () => {
        closed = true;
        return list.close();
      },
    },
    put: (others) => change(linesOf(others)),
    spoil: () => change('pdq\nnot a hash\n'),
  };
});

describe('a list in a file', () => {
  const text = `pdq\n${picture(1)}\n`;

  it('is not read again while it is the same', async () => {
    const { clock, source, watcher } = await openFile(text);
    await look(clock);
    await look(clock);
    expect(watcher.told).toHaveLength(1);
    await source.close();
  });

  it('is read again when a file of the same size and age takes its place', async () => {
    const { path, clock, source, watcher } = await openFile(text);
    const age = new Date(0);
    await utimes(path, age, age);
    await look(clock);
    await writeFile(`${path}.new`, `pdq\n${picture(2)}\n`);
    await utimes(`${path}.new`, age, age);
    await rename(`${path}.new`, path);
    await look(clock);
    expect(watcher.told.at(-1)).toEqual([{ pdq: picture(2) }]);
    await source.close();
  });

  it('is read again when a link on the way to it leads elsewhere, as in a ConfigMap', async () => {
    const { path, clock, source } = await openFile(text);
    await source.close();
    const other = `${path}.other`;
    await write(other, `pdq\n${picture(2)}\n`);
    const link = `${path}.link`;
    await symlink(path, link);
    const linked = new FileList({ path: link, hashType: 'auto', clock });
    const watcher = new RecordingWatcher();
    await linked.open(watcher);
    await symlink(other, `${link}.new`);
    await rename(`${link}.new`, link);
    await look(clock);
    expect(watcher.told).toEqual([[{ pdq: picture(1) }], [{ pdq: picture(2) }]]);
    await linked.close();
  });

  it('stays in force while its file is gone, which is told once', async () => {
    const { path, clock, source, watcher } = await openFile(text);
    await unlink(path);
    await look(clock);
    await look(clock);
    expect(watcher.told).toEqual([
      [{ pdq: picture(1) }],
      expect.objectContaining({ message: expect.stringContaining('ENOENT') }),
    ]);
    await write(path, text);
    await look(clock);
    expect(watcher.told).toHaveLength(3);
    await source.close();
  });

  it('is a fault when there is no such file at first', async () => {
    const source = new FileList({ path: '/no/such/list', hashType: 'pdq', clock: new FakeClock() });
    await expect(source.open(new RecordingWatcher())).rejects.toMatchObject({
      code: 'list_invalid',
      message: expect.stringContaining('/no/such/list'),
    });
    await source.close();
  });
});
