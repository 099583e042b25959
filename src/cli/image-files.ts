import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError, messageOf } from '../errors.ts';

/** Only which files of a folder are looked at; what they hold is sniffed from their content. */
const IMAGE_NAME = /\.(jpe?g|png|webp|gif|avif|tiff?)$/i;

/**
 * The absolute paths of `paths`: files as given, folders as the images below them, sorted.
 * Throws AppError `usage` for a path that is not there, or when there is no image at all.
 */
export async function findImages(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => imagesAt(resolve(path))));
  const images = found.flat();
  if (images.length === 0) {
    throw new AppError(
      'usage',
      `looking for images: none below ${paths.join(', ')}; their names end in .jpg, .png, .webp, .gif, .avif or .tiff`,
    );
  }
  return images;
}

async function imagesAt(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && IMAGE_NAME.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    throw new AppError('usage', `looking for images: ${messageOf(error)}`, { cause: error });
  }
}
