/**
 * Where the parts of an image file lie, as far as it can be followed: whatever bytes are given, nothing is thrown.
 */
import { crc32 } from 'node:zlib';
import { sniffFormat } from '../src/images/sniff-format.ts';

/** A number in a file, for example the length of a chunk. */
export interface NumberField {
  at: number;
  bytes: 1 | 2 | 3 | 4;
  little: boolean;
}

/** A chunk, a segment, a box, a directory entry or a block. */
export interface Part {
  start: number;
  /** Behind it. */
  end: number;
  /** Its content lies from here to `end`. */
  content: number;
  fields: NumberField[];
}

/** So many are followed: a file of a million frames is mutated like one of fewer. */
const MAX_PARTS = 2_000;

export function partsOf(file: Buffer): Part[] {
  const format = sniffFormat(file);
  if (format === null) return [];
  const parts: Part[] = [];
  for (const part of PARSERS[format](file)) {
    if (part.start >= file.length || parts.length === MAX_PARTS) break;
    const end = Math.min(part.end, file.length);
    const fields = part.fields.filter(({ at, bytes }) => at + bytes <= file.length);
    parts.push({ ...part, end, content: Math.min(part.content, end), fields });
  }
  return parts;
}

/** Gives each chunk of a PNG the checksum that its bytes demand. */
export function repairPng(file: Buffer): void {
  for (const { start, end } of pngChunks(file)) {
    if (end > file.length) return;
    file.writeUInt32BE(crc32(file.subarray(start + 4, end - 4)), end - 4);
  }
}

const big = (at: number, bytes: NumberField['bytes']): NumberField => ({
  at,
  bytes,
  little: false,
});
const little = (at: number, bytes: NumberField['bytes']): NumberField => ({
  at,
  bytes,
  little: true,
});
const PARSERS = {
  png: pngChunks,
  jpeg: jpegSegments,
  webp: riffChunks,
  avif: boxes,
  tiff: tiffEntries,
  gif: gifBlocks,
};

function* pngChunks(file: Buffer): Generator<Part> {
  for (let at = 8; at + 12 <= file.length;) {
    const content = at + 8;
    const end = content + file.readUInt32BE(at) + 4;
    const isHeader = file.toString('latin1', at + 4, content) === 'IHDR';
    const sizes = [big(content, 4), big(content + 4, 4), big(content + 8, 1), big(content + 9, 1)];
    yield { start: at, end, content, fields: [big(at, 4), ...(isHeader ? sizes : [])] };
    at = end;
  }
}

function* jpegSegments(file: Buffer): Generator<Part> {
  for (let at = 2; at + 4 <= file.length && file[at] === 0xff;) {
    const marker = file[at + 1] ?? 0;
    const content = at + 4;
    let end = at + 2 + file.readUInt16BE(at + 2);
    const fields = [big(at + 2, 2)];
    // Start of frame: precision, height, width, components.
    if (marker >= 0xc0 && marker <= 0xc2) {
      fields.push(big(content, 1), big(content + 1, 2), big(content + 3, 2), big(content + 5, 1));
    }
    if (marker === 0xda) end = endOfScan(file, end);
    yield { start: at, end, content, fields };
    at = end;
  }
}

/** The next marker that is no restart and no stuffed byte. */
function endOfScan(file: Buffer, from: number): number {
  for (let at = from; (at = file.indexOf(0xff, at)) >= 0; at += 2) {
    const next = file[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return file.length;
}

function* riffChunks(file: Buffer): Generator<Part> {
  yield { start: 0, end: 12, content: 8, fields: [little(4, 4)] };
  for (let at = 12; at + 8 <= file.length;) {
    const content = at + 8;
    const size = file.readUInt32LE(at + 4);
    const end = content + size + (size % 2);
    const fields = [little(at + 4, 4)];
    switch (file.toString('latin1', at, at + 4)) {
      case 'VP8X':
      case 'ANMF':
        fields.push(little(content, 1), little(content + 4, 3), little(content + 7, 3));
        break;
      case 'VP8 ':
        fields.push(little(content + 6, 2), little(content + 8, 2));
        break;
      case 'VP8L':
        fields.push(little(content + 1, 4));
    }
    yield { start: at, end, content, fields };
    at = end;
  }
}

/** Boxes that hold boxes, and how many bytes lie before the first of them; ISO/IEC 14496-12. */
const HOLDERS: Record<string, number> = {
  ...{ meta: 4, iprp: 0, ipco: 0, iinf: 6, iref: 4, dinf: 0 },
  ...{ moov: 0, trak: 0, mdia: 0, minf: 0, stbl: 0 },
};
/** Of a box that holds none: so many numbers of 4 bytes may be edited. */
const BOX_NUMBERS = 8;

function* boxes(file: Buffer, from = 0, to = file.length, depth = 0): Generator<Part> {
  for (let at = from; at + 8 <= to;) {
    const content = at + 8;
    const size = file.readUInt32BE(at);
    const end = size >= 8 ? at + size : to;
    const inner = HOLDERS[file.toString('latin1', at + 4, content)];
    const room = Math.floor((Math.min(end, to) - content) / 4);
    const numbers = Array.from({ length: Math.max(0, Math.min(BOX_NUMBERS, room)) }, (_, index) =>
      big(content + index * 4, 4),
    );
    yield { start: at, end, content, fields: [big(at, 4), ...numbers] };
    if (inner !== undefined && depth < 8) {
      yield* boxes(file, content + inner, Math.min(end, to), depth + 1);
    }
    at = end;
  }
}

function* tiffEntries(file: Buffer): Generator<Part> {
  const isLittle = file[0] === 0x49;
  const number = isLittle ? little : big;
  const u16 = (at: number): number => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const u32 = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  if (file.length < 8) return;
  yield { start: 0, end: 8, content: 4, fields: [number(4, 4)] };
  const seen = new Set<number>();
  for (let at = u32(4); at > 0 && at + 2 <= file.length && !seen.has(at);) {
    seen.add(at);
    const entries = at + 2;
    const next = entries + u16(at) * 12;
    for (let entry = entries; entry < next && entry + 12 <= file.length; entry += 12) {
      const fields = [number(entry, 2), number(entry + 2, 2), number(entry + 4, 4)];
      fields.push(number(entry + 8, 4));
      yield { start: entry, end: entry + 12, content: entry + 8, fields };
    }
    if (next + 4 > file.length) return;
    yield { start: next, end: next + 4, content: next, fields: [number(at, 2), number(next, 4)] };
    at = u32(next);
  }
}

function* gifBlocks(file: Buffer): Generator<Part> {
  const colours = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let at = 13 + colours(file[10] ?? 0);
  const sizes = [little(6, 2), little(8, 2), little(10, 1), little(11, 1)];
  yield { start: 0, end: at, content: 6, fields: sizes };
  while (at < file.length) {
    const start = at;
    const fields: NumberField[] = [];
    if (file[at] === 0x2c) {
      fields.push(little(at + 1, 2), little(at + 3, 2), little(at + 5, 2), little(at + 7, 2));
      at += 10 + colours(file[at + 9] ?? 0);
      fields.push(little(at, 1)); // LZW's smallest code
      at += 1;
    } else if (file[at] === 0x21) at += 2;
    else return;
    const content = at;
    for (let size = file[at]; size !== undefined && size > 0; size = file[at]) {
      if (fields.length < 16) fields.push(little(at, 1));
      at += size + 1;
    }
    at += 1;
    yield { start, end: at, content, fields };
  }
}
