import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { AppError } from '../errors.ts';

export interface SpillOptions {
  /** Where the temporary file is made. @default the system's folder for such files */
  folder?: string | undefined;
  /** The most that the file may take, in bytes. @default as much as there is room for */
  maxBytes?: number | undefined;
}

type Row = SQLOutputValue[];

const PAGE_BYTES = 4096;
/** The page cache: what of the spill is held in memory. */
const CACHE_KIB = 32 * 1024;

/** What the disk, not the program, is to blame for: IOERR, FULL and CANTOPEN of https://sqlite.org/rescode.html */
const DISK_FAULTS = new Set([10, 13, 14]);

/**
 * A database in a temporary file, written in one transaction and thrown away: neither a crash nor two processes
 * matter to it, so it has no journal and never waits for the disk. See docs/adr/0010-reconcile-spill.md.
 * Everything throws AppError `spill_failed` when the disk is full or cannot be used.
 */
export class Spill implements Disposable {
  readonly #where: string;
  readonly #folder: string;
  readonly #database: DatabaseSync;

  constructor(schema: string, options: SpillOptions = {}) {
    this.#where = options.folder ?? tmpdir();
    this.#folder = this.#guard(() => mkdtempSync(join(this.#where, 'moderato-reconcile-')));
    try {
      this.#database = this.#guard(() => new DatabaseSync(join(this.#folder, 'spill.db')));
      this.run(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA cache_size = -${CACHE_KIB};
        PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA temp_store = MEMORY`);
      if (options.maxBytes !== undefined) {
        this.run(`PRAGMA max_page_count = ${Math.ceil(options.maxBytes / PAGE_BYTES)}`);
      }
      this.run(`BEGIN EXCLUSIVE; ${schema}`);
      // A file without a name goes with its process, however that ends. Windows removes no open file.
      this.#remove();
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  run(sql: string): void {
    this.#guard(() => this.#database.exec(sql));
  }

  /** A statement that writes; prepared once, called for every row. */
  writer(sql: string): (...values: SQLInputValue[]) => void {
    const statement = this.#database.prepare(sql);
    return (...values) => {
      this.#guard(() => statement.run(...values));
    };
  }

  /** A query; its rows, as arrays, come one by one. One at a time of the same reader. */
  reader(sql: string): (...values: SQLInputValue[]) => IterableIterator<Row> {
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    return (...values) =>
      this.#guard(() => statement.iterate(...values)) as unknown as IterableIterator<Row>;
  }

  /** What the database takes, in bytes. */
  get bytes(): number {
    const [row] = this.reader('PRAGMA page_count')();
    return Number(row?.[0]) * PAGE_BYTES;
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
    this.#remove();
  }

  #remove(): void {
    try {
      rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // open still: `Symbol.dispose` removes it
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { errcode, syscall, message } = error as Error & { errcode?: number; syscall?: string };
      const isDiskFault = errcode !== undefined && DISK_FAULTS.has(errcode & 0xff);
      if (!isDiskFault && syscall === undefined) throw error;
      throw new AppError(
        'spill_failed',
        `spilling to ${this.#where}: ${message}; make room there, or name another folder with --temp`,
        { cause: error },
      );
    }
  }
}
