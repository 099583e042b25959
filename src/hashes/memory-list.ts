import type { ListEntry } from './hash-list.ts';
import type { ListSource, ListWatcher } from './list-source.ts';

/** A list in memory, for tests and for whoever embeds the service with lists of their own. */
export class MemoryList implements ListSource {
  readonly name: string;
  readonly mayHoldPdq = false;
  #entries: readonly ListEntry[];
  #watcher: ListWatcher | undefined;

  constructor(entries: readonly ListEntry[], name = 'memory') {
    this.name = name;
    this.#entries = entries;
  }

  open(watcher: ListWatcher): Promise<void> {
    this.#watcher = watcher;
    watcher.changed(this.#entries);
    return Promise.resolve();
  }

  /** Puts other entries in place of all there are. */
  set(entries: readonly ListEntry[]): void {
    this.#entries = entries;
    this.#watcher?.changed(entries);
  }

  /** Tells of a change that cannot be used. */
  fail(error: Error): void {
    this.#watcher?.failed(error);
  }

  close(): Promise<void> {
    this.#watcher = undefined;
    return Promise.resolve();
  }
}
