import type { Dice } from './dice.ts';
import { partsOf, type NumberField, type Part } from './parts.ts';

type PartMutation = (file: Buffer, parts: readonly Part[], given: Given) => Buffer;

interface Given {
  dice: Dice;
  other: Buffer;
  interesting: readonly number[];
}

const MUTATIONS: readonly PartMutation[] = [
  numberReplaced,
  numberReplaced,
  numberReplaced,
  contentReplaced,
  contentReplaced,
  partRepeated,
  partLeftOut,
  partsExchanged,
  partTakenFrom,
];

/** Changes what a decoder goes by: the numbers and the order of chunks, segments, boxes, entries or blocks. */
export function mutateParts(
  file: Buffer,
  dice: Dice,
  other: Buffer,
  interesting: readonly number[],
): Buffer {
  const parts = partsOf(file);
  if (parts.length === 0) return file;
  return dice.pick(MUTATIONS)(file, parts, { dice, other, interesting });
}

function numberReplaced(file: Buffer, parts: readonly Part[], given: Given): Buffer {
  const { dice, interesting } = given;
  const copy = Buffer.from(file);
  const fields = parts.flatMap((part) => part.fields);
  if (fields.length === 0) return copy;
  for (let times = dice.int(1, 2); times > 0; times -= 1) {
    const field = dice.pick(fields);
    const near = read(copy, field) + dice.int(-2, 2);
    const value = dice.oneIn(3) ? Math.max(0, near) : dice.pick(interesting);
    write(copy, field, value);
  }
  return copy;
}

function contentReplaced(file: Buffer, parts: readonly Part[], { dice }: Given): Buffer {
  const copy = Buffer.from(file);
  const { content, end } = dice.pick(parts);
  if (content >= end) return copy;
  for (let times = dice.int(1, 12); times > 0; times -= 1) {
    copy[dice.int(content, end - 1)] = dice.int(0, 255);
  }
  return copy;
}

function partRepeated(file: Buffer, parts: readonly Part[], { dice }: Given): Buffer {
  const { start, end } = dice.pick(parts);
  const part = file.subarray(start, end);
  const few = dice.int(1, 4);
  const times = dice.oneIn(8) && part.length < 1_000 ? dice.int(5, 500) : few;
  const copies = Array.from({ length: times }, () => part);
  return Buffer.concat([file.subarray(0, end), ...copies, file.subarray(end)]);
}

function partLeftOut(file: Buffer, parts: readonly Part[], { dice }: Given): Buffer {
  const { start, end } = dice.pick(parts);
  return Buffer.concat([file.subarray(0, start), file.subarray(end)]);
}

function partsExchanged(file: Buffer, parts: readonly Part[], { dice }: Given): Buffer {
  const [first, second] = [dice.pick(parts), dice.pick(parts)].sort((a, b) => a.start - b.start);
  if (first === undefined || second === undefined || first.end > second.start) return file;
  return Buffer.concat([
    file.subarray(0, first.start),
    file.subarray(second.start, second.end),
    file.subarray(first.end, second.start),
    file.subarray(first.start, first.end),
    file.subarray(second.end),
  ]);
}

function partTakenFrom(file: Buffer, parts: readonly Part[], { dice, other }: Given): Buffer {
  const theirs = partsOf(other);
  if (theirs.length === 0) return file;
  const { end } = dice.pick(parts);
  const taken = dice.pick(theirs);
  return Buffer.concat([
    file.subarray(0, end),
    other.subarray(taken.start, taken.end),
    file.subarray(end),
  ]);
}

function read(file: Buffer, { at, bytes, little }: NumberField): number {
  return little ? file.readUIntLE(at, bytes) : file.readUIntBE(at, bytes);
}

function write(file: Buffer, { at, bytes, little }: NumberField, value: number): void {
  const fitting = value % 2 ** (8 * bytes);
  if (little) file.writeUIntLE(fitting, at, bytes);
  else file.writeUIntBE(fitting, at, bytes);
}
