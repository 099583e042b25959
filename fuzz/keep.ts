import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from './cases.ts';

/** Writes the image of a case to out/fuzz; returns where it is. */
export async function keep({ number, format, bytes }: Case, seed: number): Promise<string> {
  const folder = join(process.cwd(), 'out', 'fuzz');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${seed}-${number}.${format ?? 'bin'}`);
  await writeFile(file, bytes);
  return file;
}

/** What puts the same image through the service again. */
export function commandOf(number: number, seed: number): string {
  return `node fuzz/run.ts --seed ${seed} --case ${number}`;
}
