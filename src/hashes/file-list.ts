import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { AppError, messageOf } from '../errors.ts';
import type { ListEntry } from './hash-list.ts';
import type { ListSource, ListWatcher } from './list-source.ts';
import { listInvalid, parseHashList } from './parse-hash-list.ts';
import type { HashType } from './text-lines.ts';

const RELOAD_MS = 5_000;

export interface FileListOptions {
  path: string;
  hashType: HashType;
  clock: Clock;
  /** How often the file is looked at, in ms. @default 5000 */
  reloadMs?: number | undefined;
}

/**
 * A list in a file, read again when the file changes. It is looked at, not watched: a file mounted from a Kubernetes
 * ConfigMap is a link to a link, which file events do not tell of, nor do network file systems.
 */
export class FileList implements ListSource {
  readonly name: string;
  readonly mayHoldPdq = false;
  readonly #options: FileListOptions;
  readonly #closing = new AbortController();
  /** Of the file as last read, or the message of why it could not be. */
  #seen = '';
  #following: Promise<void> = Promise.resolve();

  constructor(options: FileListOptions) {
    this.#options = options;
    this.name = options.path;
  }

  /** Throws AppError `list_invalid`, also when there is no such file. */
  async open(watcher: ListWatcher): Promise<void> {
    this.#seen = await this.#look();
    watcher.changed(await this.#read());
    this.#following = this.#follow(watcher);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#following;
  }

  async #follow(watcher: ListWatcher): Promise<void> {
    const { clock, reloadMs = RELOAD_MS } = this.#options;
    const { signal } = this.#closing;
    for (;;) {
      await clock.sleep(reloadMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const seen = await this.#look();
      if (seen === this.#seen) continue;
      this.#seen = seen;
      await this.#reload(watcher, signal);
    }
  }

  async #reload(watcher: ListWatcher, signal: AbortSignal): Promise<void> {
    try {
      const entries = await this.#read();
      if (!signal.aborted) watcher.changed(entries);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!signal.aborted) watcher.failed(error);
    }
  }

  #read(): Promise<ListEntry[]> {
    return readListFile(this.name, this.#options.hashType);
  }

  /** What changes whenever the file does. */
  async #look(): Promise<string> {
    try {
      return stampOf(await stat(this.name));
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** The entries of a list in a file. Throws AppError `list_invalid`, also when there is no such file. */
export async function readListFile(path: string, hashType: HashType): Promise<ListEntry[]> {
  return parseHashList(await readSettled(path), hashType, path);
}

async function readSettled(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const before = stampOf(await file.stat());
    const text = await file.readFile('utf8');
    if (stampOf(await file.stat()) === before) return text;
  } catch (error) {
    throw listInvalid(path, [messageOf(error)]);
  }
  const fault = 'it was written to while it was read; write another file and rename it';
  throw listInvalid(path, [fault]);
}

/** The inode too: a file that was renamed into place may be of the same size and age. */
function stampOf({ ino, size, mtimeMs }: Stats): string {
  return [ino, size, mtimeMs].join(' ');
}
