/**
 * Where a list's entries come from. This room knows pictures by their hashes and lists of such; it knows nothing of
 * images, events and verdicts. It may import the kafka room, for lists that are topics.
 */
import type { ListEntry } from './hash-list.ts';

export interface ListWatcher {
  /** All entries, at first and whenever any of them has changed. They belong to the watcher. */
  changed(entries: readonly ListEntry[]): void;
  /** A change that cannot be used: what was told before stays in force. */
  failed(error: Error): void;
}

export interface ListSource {
  /** For messages: the file's path or the topic's name. */
  readonly name: string;
  /** Whether PDQ hashes may come at any time, even though there are none yet. */
  readonly mayHoldPdq: boolean;
  /**
   * Resolves once `changed` was called for the first time; the list is followed until `close`. Called once.
   * Throws AppError `list_invalid` when the entries cannot be read, and what else keeps the source from them.
   */
  open(watcher: ListWatcher): Promise<void>;
  /** Nothing is told once it has been called. */
  close(): Promise<void>;
}
