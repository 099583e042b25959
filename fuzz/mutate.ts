import type { Dice } from './dice.ts';
import { mutateParts } from './mutate-parts.ts';
import { partsOf, repairPng } from './parts.ts';

/** What an event can carry; a mutant does not grow beyond it. */
const MAX_BYTES = 20 * 2 ** 20;
const MAX_BLOCK = 4_096;
/** Where signs, lengths and allocations go wrong. */
export const INTERESTING = [
  ...[0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 100, 127, 128, 255, 256, 257, 1_000, 4_095, 4_096],
  ...[16_383, 16_384, 32_767, 32_768, 65_534, 65_535, 65_536, 100_000, 0xffffff],
  ...[0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
];

/** Draws a changed copy of `file`; `other` is what parts of it may be taken from. */
export type Mutation = (file: Buffer, dice: Dice, other: Buffer) => Buffer;

export const MUTATIONS: Record<string, Mutation> = {
  'bits flipped': (file, dice) => {
    const copy = Buffer.from(file);
    for (let times = dice.int(1, 16); times > 0; times -= 1) {
      const at = dice.int(0, copy.length - 1);
      copy[at] = (copy[at] ?? 0) ^ (1 << dice.int(0, 7));
    }
    return copy;
  },
  'bytes replaced': (file, dice) => {
    const copy = Buffer.from(file);
    // Most of them near the start: there are the headers.
    const within = dice.oneIn(2) ? Math.min(copy.length, 512) : copy.length;
    for (let times = dice.int(1, 64); times > 0; times -= 1) {
      copy[dice.int(0, within - 1)] = dice.int(0, 255);
    }
    return copy;
  },
  'number replaced': (file, dice) => {
    const copy = Buffer.from(file);
    const bytes = dice.pick([1, 2, 4]);
    const last = Math.floor(copy.length / bytes) - 1;
    if (last < 0) return copy;
    const at = dice.int(0, dice.oneIn(2) ? Math.min(last, 256) : last) * bytes;
    const value = dice.pick(INTERESTING) % 2 ** (8 * bytes);
    if (dice.oneIn(2)) copy.writeUIntLE(value, at, bytes);
    else copy.writeUIntBE(value, at, bytes);
    return copy;
  },
  'block copied': (file, dice) => {
    const [from, to] = block(file, dice);
    const at = dice.int(0, file.length);
    return Buffer.concat([file.subarray(0, at), file.subarray(from, to), file.subarray(at)]);
  },
  'block overwritten': (file, dice) => {
    const [from, to] = block(file, dice);
    const copy = Buffer.from(file);
    file.copy(copy, dice.int(0, file.length - 1), from, to);
    return copy;
  },
  'block left out': (file, dice) => {
    const [from, to] = block(file, dice);
    return Buffer.concat([file.subarray(0, from), file.subarray(to)]);
  },
  'block put in': (file, dice) => {
    const at = dice.int(0, file.length);
    const length = dice.int(1, 512);
    const added = dice.oneIn(2) ? Buffer.alloc(length, dice.int(0, 255)) : dice.bytes(length);
    return Buffer.concat([file.subarray(0, at), added, file.subarray(at)]);
  },
  'cut short': (file, dice) => file.subarray(0, dice.int(0, file.length - 1)),
  'cut at a part': (file, dice) => {
    const parts = partsOf(file);
    return parts.length === 0 ? file : file.subarray(0, dice.pick(parts).end);
  },
  'two files in one': (file, dice, other) => {
    const at = dice.int(0, file.length);
    return Buffer.concat([file.subarray(0, at), other.subarray(dice.int(0, other.length))]);
  },
  'parts changed': (file, dice, other) => mutateParts(file, dice, other, INTERESTING),
};

/** So many of ten are changes to parts: what is changed blindly is mostly refused at once. */
const PARTS_OF_TEN = 5;
const NAMES = Object.keys(MUTATIONS);

/** The file after one to four mutations, and their names. */
export function mutate(file: Buffer, dice: Dice, other: Buffer): { bytes: Buffer; how: string[] } {
  const how: string[] = [];
  let bytes = file;
  for (let times = dice.int(1, 4); times > 0; times -= 1) {
    const name = dice.int(1, 10) <= PARTS_OF_TEN ? 'parts changed' : dice.pick(NAMES);
    const mutation = MUTATIONS[name];
    if (mutation === undefined || bytes.length === 0) break;
    bytes = mutation(bytes, dice, other).subarray(0, MAX_BYTES);
    how.push(name);
  }
  // A wrong checksum hides what is behind it.
  if (!dice.oneIn(8)) {
    bytes = Buffer.from(bytes);
    repairPng(bytes);
  }
  return { bytes, how };
}

function block(file: Buffer, dice: Dice): [from: number, to: number] {
  const from = dice.int(0, file.length - 1);
  return [from, Math.min(file.length, from + dice.int(1, MAX_BLOCK))];
}
