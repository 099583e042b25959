import { readFileSync } from 'node:fs';
import { packageFile } from '../src/package-files.ts';
import type { Subject } from './picture.ts';

export const sample = (name: string): Buffer => readFileSync(packageFile(`samples/${name}`));

export const SUBJECTS: readonly Subject[] = [
  { name: 'bear', bytes: sample('bear.jpg'), policy: 'wild-animals' },
  { name: 'motorcycle', bytes: sample('motorcycle.jpg'), policy: 'motor-vehicles' },
];

/** What stands around a subject: photos that no policy is about. */
export const SURROUNDINGS = {
  flower: sample('yellow-flower.webp'),
  forest: sample('hiker-in-forest.webp'),
  mountains: sample('mountains-at-sunset.webp'),
  pizza: sample('homemade-pizza.webp'),
} as const;
