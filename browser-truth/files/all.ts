import { apngFiles } from './apng.ts';
import { avifFiles } from './avif.ts';
import type { TruthFile } from './entry.ts';
import { gifFiles } from './gif.ts';
import { jpegFiles } from './jpeg.ts';
import { pngFiles } from './png.ts';
import { webpFiles } from './webp.ts';

export async function allFiles(): Promise<TruthFile[]> {
  return [
    ...(await jpegFiles()),
    ...pngFiles(),
    ...apngFiles(),
    ...(await webpFiles()),
    ...(await gifFiles()),
    ...(await avifFiles()),
  ];
}
