import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError, messageOf } from '../errors.ts';

/** One file of a model folder that takes part in its identity. */
export interface ModelFile {
  /** Relative to the folder, with forward slashes. */
  name: string;
  bytes: number;
  sha256: string;
}

/** Length and SHA-256 of a file, read as a stream. */
export async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const data = chunk as Buffer;
    hash.update(data);
    bytes += data.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/**
 * A JSON file of a model folder, checked against `schema`; null where it is absent.
 * Throws AppError `model_invalid` naming the file and every fault.
 */
export async function readJsonFile<T>(
  folder: string,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | null> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw new AppError('model_not_found', `reading ${path}: ${messageOf(cause)}`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('model_invalid', `reading ${path}: not JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new AppError('model_invalid', `reading ${path}:\n${z.prettifyError(parsed.error)}`);
}

/** Whether a file system error says that nothing is there. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * Writes a file of the cache, with its folder, whole or not at all. False where nothing can be kept: a read-only
 * container must still start.
 */
export async function keepFile(path: string, content: string | Uint8Array): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // Several may start at once: each writes its own file, the last rename wins.
    const own = `${path}.${process.pid}.${crypto.randomUUID()}`;
    await writeFile(own, content);
    await rename(own, path);
    return true;
  } catch (error) {
    if (UNWRITABLE.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'ENOENT']);
