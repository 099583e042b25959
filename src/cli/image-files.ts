import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError, messageOf } from '../errors.ts';
import { HEAD_BYTES, nameContent, type ContentName } from '../images/name-content.ts';
import { packageFile } from '../package-files.ts';
import { printable } from './printable.ts';

/** A file of such a name is judged whatever it holds, so that a broken image gets its verdict. */
const IMAGE_NAME = /\.(?:jpe?g|jfif|png|apng|webp|gif|avif|tiff?|hei[cf]|jxl|jp2|bmp|ico|svg)$/i;

export interface LookingForImages {
  /** Told of a folder that cannot be read. @default writes a line to stderr */
  onUnreadable?: (why: string) => void;
  /** Told once of the files in folders that are no images. @default writes a line to stderr */
  onLeftOut?: (why: string) => void;
}

interface Found {
  images: string[];
  /** What the other files are, with how many of them there are. */
  leftOut: Map<string, number>;
}

const say = (why: string): void => {
  process.stderr.write(`${printable(why)}\n`);
};

/**
 * The absolute paths of `paths`: files as given, folders as the images below them, by content or by name, sorted.
 * Symbolic links in a folder are not followed. A folder below one of `paths` that cannot be read is left out and
 * told of, and so is a file that is no image.
 * Throws AppError `usage` for a path that is not there or is no file, or when there is no image at all.
 */
export async function findImages(
  paths: readonly string[],
  { onUnreadable = say, onLeftOut = say }: LookingForImages = {},
): Promise<string[]> {
  const leftOut = new Map<string, number>();
  const found = await Promise.all(
    paths.map((path) => imagesAt(resolve(path), { images: [], leftOut }, onUnreadable)),
  );
  if (leftOut.size > 0) onLeftOut(`left out ${textOf(leftOut)}`);
  const images = found.flat();
  if (images.length === 0) {
    throw new AppError('usage', `looking for images: none below ${paths.join(', ')}`);
  }
  return images;
}

/** The sample photos that come with the package. */
export function findSamples(): Promise<string[]> {
  return findImages([packageFile('samples')], { onLeftOut: () => undefined });
}

/** `3 files that are no images: 2 text, 1 PDF`, the most frequent first. */
function textOf(leftOut: ReadonlyMap<string, number>): string {
  const kinds = [...leftOut].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
  const count = kinds.reduce((sum, [, number]) => sum + number, 0);
  const what = count === 1 ? 'file that is no image' : 'files that are no images';
  return `${count} ${what}: ${kinds.map(([kind, number]) => `${number} ${kind}`).join(', ')}`;
}

async function imagesAt(
  path: string,
  found: Found,
  onUnreadable: (why: string) => void,
): Promise<string[]> {
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
  const walk = async (entries: readonly Dirent[]): Promise<void> => {
    for (const entry of entries) {
      const at = join(entry.parentPath, entry.name);
      if (entry.isFile()) await place(at, found);
      if (!entry.isDirectory()) continue;
      try {
        await walk(await readdir(at, { withFileTypes: true }));
      } catch (error) {
        onUnreadable(`skipping a folder: ${messageOf(error)}`);
      }
    }
  };
  await walk(await looking(readdir(path, { withFileTypes: true })));
  return found.images.sort();
}

async function place(path: string, { images, leftOut }: Found): Promise<void> {
  const { name, image } = IMAGE_NAME.test(path) ? { name: '', image: true } : await contentOf(path);
  if (image) {
    images.push(path);
    return;
  }
  const kind = name.replace(/^an? /, '');
  leftOut.set(kind, (leftOut.get(kind) ?? 0) + 1);
}

/** A file that cannot be read is not said to be no image. */
async function contentOf(path: string): Promise<ContentName> {
  const unreadable = { name: 'unreadable', image: false };
  const file = await open(path).catch(() => null);
  if (file === null) return unreadable;
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    const content = nameContent(head.subarray(0, bytesRead));
    return content.name.startsWith('not ')
      ? { name: 'of an unknown format', image: false }
      : content;
  } catch {
    return unreadable;
  } finally {
    await file.close();
  }
}
