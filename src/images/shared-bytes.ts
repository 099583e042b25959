import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** More than that goes through the pipe, so that the memory stays bounded. */
export const SHARED_CAPACITY = 2 * 1024 * 1024;
/** Less than that is as quick through the pipe. */
const LEAST = 16 * 1024;
/** Files there are memory. Elsewhere, or where it is full or not to be written to, there is the pipe. */
const FOLDER = '/dev/shm';

/**
 * Memory that two processes have open, as a file without a name. Bytes handed over through it are copied once each
 * way, in one piece; a pipe takes them in pieces of 64 KiB and copies them several times. It holds one hand-over at
 * a time: what was put in must be taken before anything else is.
 */
export class SharedBytes {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** New memory; null where there is none to be had. */
  static open(): SharedBytes | null {
    try {
      const file = join(FOLDER, `moderato-${randomUUID()}`);
      const fd = openSync(file, 'wx+', 0o600);
      unlinkSync(file);
      return new SharedBytes(fd);
    } catch {
      return null;
    }
  }

  /** Puts the parts in, one behind the other; false where the pipe has to take them. */
  put(parts: readonly Uint8Array[]): boolean {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    if (size < LEAST || size > SHARED_CAPACITY) return false;
    let at = 0;
    try {
      for (const part of parts) at += writeSync(this.fd, part, 0, part.length, at);
    } catch {
      return false;
    }
    return at === size;
  }

  /** Copies of the parts of these lengths; null when there cannot have been such parts. */
  take(lengths: readonly number[]): Uint8Array[] | null {
    if (!lengths.every(isLength)) return null;
    const size = lengths.reduce((sum, length) => sum + length, 0);
    if (size > SHARED_CAPACITY) return null;
    const bytes = new Uint8Array(size);
    if (readSync(this.fd, bytes, 0, size, 0) !== size) return null;
    let at = 0;
    return lengths.map((length) => bytes.subarray(at, (at += length)));
  }

  close(): void {
    closeSync(this.fd);
  }
}

function isLength(length: unknown): boolean {
  return Number.isSafeInteger(length) && (length as number) >= 0;
}
