import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError, messageOf } from '../errors.ts';
import { printable } from './printable.ts';

/** Only which files of a folder are looked at; what they hold is sniffed from their content. */
const IMAGE_NAME = /\.(jpe?g|png|webp|gif|avif|tiff?)$/i;

/**
 * The absolute paths of `paths`: files as given, folders as the images below them, sorted. Symbolic links in a folder
 * are not followed. A folder below one of `paths` that cannot be read is left out and told of.
 * Throws AppError `usage` for a path that is not there or is no file, or when there is no image at all.
 */
export async function findImages(
  paths: readonly string[],
  onUnreadable: (why: string) => void = (why) => process.stderr.write(`${printable(why)}\n`),
): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => imagesAt(resolve(path), onUnreadable)));
  const images = found.flat();
  if (images.length === 0) {
    throw new AppError(
      'usage',
      `looking for images: none below ${paths.join(', ')}; their names end in .jpg, .png, .webp, .gif, .avif or .tiff`,
    );
  }
  return images;
}

async function imagesAt(path: string, onUnreadable: (why: string) => void): Promise<string[]> {
  const looking = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw new AppError('usage', `looking for images: ${messageOf(error)}`, { cause: error });
    }
  };
  const stats = await looking(stat(path));
  if (stats.isFile()) return [path];
  if (!stats.isDirectory()) {
    throw new AppError('usage', `looking for images: ${path} is neither a file nor a folder`);
  }
  const images: string[] = [];
  const walk = async (entries: readonly Dirent[]): Promise<void> => {
    for (const entry of entries) {
      const at = join(entry.parentPath, entry.name);
      if (entry.isFile() && IMAGE_NAME.test(entry.name)) images.push(at);
      if (!entry.isDirectory()) continue;
      try {
        await walk(await readdir(at, { withFileTypes: true }));
      } catch (error) {
        onUnreadable(`skipping a folder: ${messageOf(error)}`);
      }
    }
  };
  await walk(await looking(readdir(path, { withFileTypes: true })));
  return images.sort();
}
