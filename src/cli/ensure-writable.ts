import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError, messageOf } from '../errors.ts';

/**
 * Makes the folder of a result's file and tries to open the file, before the work that it is for.
 * Throws AppError `usage`.
 */
export async function ensureWritable(path: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await (await open(path, 'a')).close();
  } catch (error) {
    throw new AppError('usage', `writing ${path}: ${messageOf(error)}; name another file`, {
      cause: error,
    });
  }
}
