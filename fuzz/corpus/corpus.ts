import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFile } from '../../src/package-files.ts';
import { sniffFormat } from '../../src/images/sniff-format.ts';
import { partsOf } from '../parts.ts';
import { avifEntries } from './avif.ts';
import type { Entry, Mutated } from './entry.ts';
import { foreignEntries } from './foreign.ts';
import { gifEntries } from './gif.ts';
import { jpegEntries } from './jpeg.ts';
import { makePictures, type Pictures } from './pictures.ts';
import { pngEntries } from './png.ts';
import { polyglotEntries } from './polyglots.ts';
import { tiffEntries } from './tiff.ts';
import { webpEntries } from './webp.ts';

/** Every file that cases are made of, in an order that does not change. */
export async function buildCorpus(): Promise<Entry[]> {
  const pictures = await makePictures();
  const whole = Object.entries(pictures).map(([name, bytes]) => entryOf(`picture: ${name}`, bytes));
  return [
    ...whole,
    ...(await filesIn('samples')),
    ...(await filesIn('test/fixtures/parity/images')),
    ...(await filesIn('fuzz/corpus/files', 'seldom')),
    ...pngEntries(),
    ...jpegEntries(pictures),
    ...gifEntries(),
    ...webpEntries(pictures),
    ...avifEntries(pictures),
    ...tiffEntries(),
    ...polyglotEntries(pictures),
    ...foreignEntries(),
    ...cuts(pictures),
  ];
}

function entryOf(name: string, bytes: Buffer): Entry {
  return { name, bytes, format: sniffFormat(bytes) };
}

/** What the repository holds, in the order of the names. */
async function filesIn(folder: string, mutated: Mutated = 'often'): Promise<Entry[]> {
  const names = (await readdir(packageFile(folder))).filter((name) => !name.endsWith('.md'));
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name);
      return { ...entryOf(path, await readFile(packageFile(path))), mutated };
    }),
  );
}

/** Broken off where a part begins, where its content does, and in the midst of it. */
function cuts(pictures: Pictures): Entry[] {
  return Object.entries(pictures).flatMap(([name, bytes]) => {
    const places = partsOf(bytes).flatMap(({ start, content, end }) => [
      start,
      content,
      Math.floor((content + end) / 2),
    ]);
    const distinct = [...new Set(places)].filter((at) => at > 0 && at < bytes.length);
    return distinct.map((at): Entry => {
      return { ...entryOf(`${name} cut at ${at}`, bytes.subarray(0, at)), mutated: 'never' };
    });
  });
}
