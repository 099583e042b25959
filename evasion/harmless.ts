/** What more looks cost on pictures that no policy is about: false alarms, and inferences. */
import { readFile } from 'node:fs/promises';
import { findImages } from '../src/cli/image-files.ts';
import type { Judge } from './judge.ts';

export interface FalseAlarms {
  photos: number;
  /** Photos with another outcome than `allow`. */
  alarms: string[];
  refused: number;
  inferences: number;
}

export async function countFalseAlarms(folders: string[], judge: Judge): Promise<FalseAlarms> {
  const counted: FalseAlarms = { photos: 0, alarms: [], refused: 0, inferences: 0 };
  for (const file of await findImages(folders)) {
    const { outcome, views } = await judge.judge(await readFile(file));
    if (outcome === 'not_inspected') {
      counted.refused += 1;
      continue;
    }
    counted.photos += 1;
    counted.inferences += views.length;
    if (outcome !== 'allow') counted.alarms.push(file);
  }
  return counted;
}

/** The 95 % interval of a share, by Wilson ("Probable inference …", J. Am. Stat. Assoc. 22, 1927). */
export function intervalOf(hits: number, count: number): [number, number] {
  const z = 1.959964;
  const share = hits / count;
  const scale = 1 + z ** 2 / count;
  const centre = (share + z ** 2 / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
