import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { packageFile } from '../src/package-files.ts';

export interface Photos {
  folder: string;
  files: readonly string[];
  meanBytes: number;
  /** For the reader of the table. */
  description: string;
}

/** Longest edge in pixels: with this quality the mean is about 110 kB, as for the photos of ImageNet. */
const EDGE = 500;
const QUALITY = 95;

/**
 * The sample photos as JPEGs of one size, in `folder`. The decoder is not spared anything by it: WebP costs it
 * more a pixel, but fewer of the photos that people upload are WebP.
 */
export async function preparePhotos(folder: string): Promise<Photos> {
  await mkdir(folder, { recursive: true });
  const samples = packageFile('samples');
  const names = (await readdir(samples)).filter(isWholePhoto).sort();
  const files: string[] = [];
  let bytes = 0;
  let pixels = 0;
  for (const name of names) {
    const { data, info } = await sharp(join(samples, name))
      .resize(EDGE, EDGE, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: QUALITY, chromaSubsampling: '4:4:4' })
      .toBuffer({ resolveWithObject: true });
    const file = join(folder, `${name.replace(/\.\w+$/, '')}.jpg`);
    await writeFile(file, data);
    files.push(file);
    bytes += data.length;
    pixels += info.width * info.height;
  }
  const meanBytes = bytes / files.length;
  const description =
    `the ${files.length} whole photos of samples/ in turn, as JPEGs (quality ${QUALITY}, 4:4:4) of at most ` +
    `${EDGE} × ${EDGE} pixels; on average ${(meanBytes / 1000).toFixed(0)} kB and ` +
    `${(pixels / files.length / 1e6).toFixed(2)} megapixels`;
  return { folder, files, meanBytes, description };
}

/** The same photos as thumbnails of about 1 kB, for what an event costs beside its image. */
export async function prepareThumbnails(folder: string, { files }: Photos): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    files.map(async (file) => {
      const thumbnail = join(folder, basename(file));
      await sharp(file).resize(32, 32, { fit: 'cover' }).jpeg({ quality: 80 }).toFile(thumbnail);
      return thumbnail;
    }),
  );
}

/** One sample is cut short on purpose. */
function isWholePhoto(name: string): boolean {
  return /\.(jpg|webp)$/.test(name) && !name.startsWith('interrupted');
}
