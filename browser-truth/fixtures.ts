/** What Chromium drew of the generated files, kept so that it can be compared without Chromium. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { packageFile } from '../src/package-files.ts';
import type { Drawn } from './chromium.ts';
import type { TruthFile } from './files/entry.ts';

const FOLDER = 'test/fixtures/browser-truth';

export interface Fixture extends Required<TruthFile> {
  drawn: Drawn;
}

interface Stored {
  chromium: string;
  date: string;
  files: Record<string, { group: string; animated: boolean; drawn: Drawn }>;
}

export async function storeFixtures(
  fixtures: readonly Fixture[],
  made: { chromium: string; date: string },
): Promise<void> {
  await rm(packageFile(`${FOLDER}/files`), { recursive: true, force: true });
  await mkdir(packageFile(`${FOLDER}/files`), { recursive: true });
  for (const { name, bytes } of fixtures) {
    await writeFile(packageFile(`${FOLDER}/files/${name}`), bytes);
  }
  // One line for each file, so that a change of one shows as such.
  const lines = fixtures.map(
    ({ name, group, animated, drawn }) =>
      `${JSON.stringify(name)}:${JSON.stringify({ group, animated, drawn })}`,
  );
  const { chromium, date } = made;
  const head = `{"chromium":${JSON.stringify(chromium)},"date":"${date}","files":{`;
  await writeFile(packageFile(`${FOLDER}/chromium.json`), `${head}\n${lines.join(',\n')}\n}}\n`);
}

export async function loadFixtures(): Promise<Fixture[]> {
  const text = await readFile(packageFile(`${FOLDER}/chromium.json`), 'utf8');
  const { files } = JSON.parse(text) as Stored;
  return Promise.all(
    Object.entries(files).map(async ([name, stored]) => {
      return { name, bytes: await readFile(packageFile(`${FOLDER}/files/${name}`)), ...stored };
    }),
  );
}
