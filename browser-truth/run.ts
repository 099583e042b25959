/** `npm run browser-truth`: compares what Moderato judges of pictures with what Chromium draws of them. */
import { execFileSync } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { sniffFormat } from '../src/images/sniff-format.ts';
import { drawn } from './chromium.ts';
import { compare } from './compare.ts';
import { allFiles } from './files/all.ts';
import type { TruthFile } from './files/entry.ts';
import { storeFixtures, type Fixture } from './fixtures.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { judged } from './moderato.ts';
import { parseOptions } from './options.ts';
import { OUTLIERS } from './outliers.ts';
import { renderGroups, renderOutliers, type Row } from './table.ts';
import { isAlike } from './tolerances.ts';

/** Larger files are left out of foreign folders. */
const MAX_BYTES = 20 * 2 ** 20;

const options = parseOptions(process.argv);
const date = new Date().toISOString().slice(0, 10);
const chromium = versionOf(options.chromium);
const foreign = options.folder.length > 0;
const files = foreign ? await foreignFiles(options.folder) : await allFiles();

const fixtures = await fixturesOf(files);
if (options.write && !foreign) await storeFixtures(fixtures, { chromium, date });
const rows: Row[] = [];
for (const { name, group, bytes, animated, drawn: shown } of fixtures) {
  rows.push({ name, group, comparison: compare(shown, await judged(bytes, animated)) });
}
console.log(`${date}, ${chromium}, ${rows.length} files\n\n${renderGroups(rows)}\n`);
console.log(renderOutliers(rows));
const unknown = rows.filter(
  (row) => !isAlike(row.comparison, row.group) && !OUTLIERS.has(row.name),
);
process.exitCode = unknown.length > 0 ? 1 : 0;

function versionOf(executable: string): string {
  const version = execFileSync(executable, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  return /Chrom\S* [\d.]+/.exec(version.toString())?.[0] ?? 'Chromium';
}

async function fixturesOf(given: readonly TruthFile[]): Promise<Fixture[]> {
  const drawings = await drawn(
    given.map(({ bytes, animated = false }) => {
      return { bytes, animated, type: MEDIA_TYPES[sniffFormat(bytes) ?? 'tiff'] ?? '' };
    }),
    { executable: options.chromium },
  );
  return given.map(({ animated = false, ...file }, i) => {
    return { ...file, animated, drawn: drawings[i] ?? { first: null, frames: null } };
  });
}

/** Whatever browsers may show, by its content. */
async function foreignFiles(folders: readonly string[]): Promise<TruthFile[]> {
  const found: TruthFile[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || (await stat(path)).size > MAX_BYTES) continue;
      const bytes = await readFile(path);
      const format = sniffFormat(bytes);
      if (format === null || MEDIA_TYPES[format] === undefined) continue;
      found.push({ name: relative(folder, path), group: `${basename(folder)} ${format}`, bytes });
    }
  }
  return found;
}
