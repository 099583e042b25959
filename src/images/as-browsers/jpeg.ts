import { browserProfile, type Samples } from './browser-profile.ts';
import type { Codec } from './codec.ts';
import { greyOf } from './grey.ts';

const START_OF_SCAN = 0xda;
const APP2 = 0xe2;
const NAME = Buffer.from('ICC_PROFILE\0', 'latin1');
/** Bytes of a profile in one segment: 65,533 less the name and the part's number. */
const PART_BYTES = 65_519;

interface Segment {
  marker: number;
  start: number;
  end: number;
  data: Buffer;
}

/** The profile as browsers read it, or none. */
export async function jpegAsBrowsers(jpeg: Buffer, codec: Codec): Promise<Buffer> {
  const segments = [...readSegments(jpeg)];
  const parts = segments.filter(
    ({ marker, data }) => marker === APP2 && data.subarray(0, NAME.length).equals(NAME),
  );
  if (parts.length === 0) return jpeg;
  const samples = samplesOf(segments);
  const icc = samples && joined(parts.map(({ data }) => data.subarray(NAME.length)));
  const found = icc && browserProfile(icc, samples);
  // What is sRGB by its numbers is told so again, without a copy of the whole file.
  if (found === 'srgb' && parts.length === 1 && samples !== 'GRAY') return jpeg;
  const isColour =
    found !== null && found !== 'srgb' && found.toString('latin1', 16, 20) === 'RGB ';
  const profile = samples === 'GRAY' && isColour ? (await greyOf(found, codec)).profile : found;
  return without(jpeg, parts, profile === null || profile === 'srgb' ? [] : split(profile));
}

/** ITU-T T.81, annex B: up to the first scan, as far as they can be followed. */
function* readSegments(jpeg: Buffer): Generator<Segment> {
  for (let start = 2; start + 4 <= jpeg.length;) {
    if (jpeg[start] !== 0xff) return;
    const marker = jpeg.readUInt8(start + 1);
    if (marker === 0xff) {
      start += 1;
      continue;
    }
    if (marker === START_OF_SCAN || marker === 0xd9) return;
    const end = start + 2 + jpeg.readUInt16BE(start + 2);
    if (end < start + 4 || end > jpeg.length) return;
    yield { marker, start, end, data: jpeg.subarray(start + 4, end) };
    start = end;
  }
}

/** By the number of components of the frame. */
function samplesOf(segments: readonly Segment[]): Samples | null {
  const frame = segments.find(
    ({ marker }) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker),
  );
  const samples: Record<number, Samples> = { 1: 'GRAY', 3: 'RGB ', 4: 'CMYK' };
  return samples[frame?.data[5] ?? 0] ?? null;
}

/** ICC.1:2022, annex B.4: the first alone where it is one of one, otherwise each of all once. */
function joined(parts: readonly Buffer[]): Buffer | null {
  const [first] = parts;
  if (first === undefined || first.length < 2) return null;
  const count = first.readUInt8(1);
  if (count === 1) return first.readUInt8(0) === 1 ? first.subarray(2) : null;
  if (parts.length !== count) return null;
  const ordered = Array.from({ length: count }, (_, i) => parts.find((part) => part[0] === i + 1));
  return ordered.every((part) => part?.[1] === count)
    ? Buffer.concat(ordered.map((part) => (part as Buffer).subarray(2)))
    : null;
}

function split(profile: Buffer): Buffer[] {
  const count = Math.ceil(profile.length / PART_BYTES);
  return Array.from({ length: count }, (_, i) => {
    const data = profile.subarray(i * PART_BYTES, (i + 1) * PART_BYTES);
    const head = Buffer.from([0xff, APP2, 0, 0]);
    head.writeUInt16BE(2 + NAME.length + 2 + data.length, 2);
    return Buffer.concat([head, NAME, Buffer.from([i + 1, count]), data]);
  });
}

/** Other segments in place of these, where the first of them was. */
function without(jpeg: Buffer, segments: readonly Segment[], others: readonly Buffer[]): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  segments.forEach(({ start, end }, i) => {
    kept.push(jpeg.subarray(from, start));
    if (i === 0) kept.push(...others);
    from = end;
  });
  return Buffer.concat([...kept, jpeg.subarray(from)]);
}
