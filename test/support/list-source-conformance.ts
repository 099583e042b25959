import { describe, expect, it } from '@jest/globals';
import type { ListEntry } from '../../src/hashes/hash-list.ts';
import type { ListSource, ListWatcher } from '../../src/hashes/list-source.ts';
import { fileHash, picture } from './hash-lists.ts';

export interface SourceUnderTest {
  source: ListSource;
  /** Puts these in place of all there are, and lets the source notice. */
  put: (entries: readonly ListEntry[]) => Promise<void>;
  /** Makes a change that cannot be used, and lets the source notice. */
  spoil: () => Promise<void>;
}

/** What a source tells, in order. */
export class RecordingWatcher implements ListWatcher {
  readonly told: Array<readonly ListEntry[] | Error> = [];
  #wake = (): void => undefined;

  changed(entries: readonly ListEntry[]): void {
    this.#tell([...entries].sort((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1)));
  }

  failed(error: Error): void {
    this.#tell(error);
  }

  /** Resolves when something has been told that `wanted` holds of. */
  async until(wanted: (told: readonly ListEntry[] | Error) => boolean): Promise<void> {
    while (!this.told.some(wanted)) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #tell(told: readonly ListEntry[] | Error): void {
    this.told.push(told);
    this.#wake();
  }
}

const one = { pdq: picture(1), id: 'one' };
const two = { sha256: fileHash(2), id: 'two' };
const three = { pdq: picture(3), sha256: fileHash(3), id: 'three' };

/** What every ListSource keeps to. */
export function listSourceConformance(
  name: string,
  setUp: (entries: readonly ListEntry[]) => Promise<SourceUnderTest>,
): void {
  const isEntries = (count: number) => (told: readonly ListEntry[] | Error) =>
    !(told instanceof Error) && told.length === count;

  describe(`${name} as a ListSource`, () => {
    it('tells all entries before it is open', async () => {
      const { source } = await setUp([one, two]);
      const watcher = new RecordingWatcher();
      await source.open(watcher);
      expect(watcher.told).toEqual([[one, two]]);
      await source.close();
    });

    it('may have no entries', async () => {
      const { source } = await setUp([]);
      const watcher = new RecordingWatcher();
      await source.open(watcher);
      expect(watcher.told).toEqual([[]]);
      await source.close();
    });

    it('tells all entries again when some have come and gone', async () => {
      const { source, put } = await setUp([one, two]);
      const watcher = new RecordingWatcher();
      await source.open(watcher);
      await put([one]);
      await watcher.until(isEntries(1));
      await put([one, three, two]);
      await watcher.until(isEntries(3));
      expect(watcher.told).toEqual([[one, two], [one], [one, three, two]]);
      await source.close();
    });

    it('tells of a change that cannot be used, and goes on', async () => {
      const { source, put, spoil } = await setUp([one]);
      const watcher = new RecordingWatcher();
      await source.open(watcher);
      await spoil();
      await watcher.until((told) => told instanceof Error);
      await put([one, two]);
      await watcher.until(isEntries(2));
      expect(watcher.told).toEqual([
        [one],
        expect.objectContaining({ code: 'list_invalid' }),
        [one, two],
      ]);
      await source.close();
    });

    it('tells nothing once it is closed', async () => {
      const { source, put } = await setUp([one]);
      const watcher = new RecordingWatcher();
      await source.open(watcher);
      await source.close();
      await put([one, two]);
      expect(watcher.told).toEqual([[one]]);
    });

    it('says what it is', async () => {
      expect((await setUp([])).source.name).not.toBe('');
    });
  });
}
