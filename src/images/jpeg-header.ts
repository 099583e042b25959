import { isSrgbProfile } from './srgb-profile.ts';

/** What of an ordinary JPEG needs no decoder to be known. */
export interface JpegHeader {
  /** Size as stored. */
  width: number;
  height: number;
  /** How it is to be turned, by its EXIF: 1 (not at all) to 8. */
  orientation: number;
}

/** Markers of ITU-T T.81, table B.1. */
const START_OF_SCAN = 0xda;
/** Baseline, extended sequential and progressive, all with Huffman coding. */
const FRAMES = [0xc0, 0xc1, 0xc2];
const EXIF = 0xe1;
const PROFILE = 0xe2;
/** Huffman and quantisation tables, the restart interval, a comment. */
const SKIPPED = [0xc4, 0xdb, 0xdd, 0xfe];

const isApplication = (marker: number): boolean => marker >= 0xe0 && marker <= 0xef;

/**
 * The header of a JPEG with one or three components of 8 bits whose colours are sRGB; null for everything that is in
 * any way uncommon: what to make of that, and whether it is an error, is for the native decoder to say.
 */
export function readJpegHeader(bytes: Buffer): JpegHeader | null {
  let size: { width: number; height: number } | null = null;
  let orientation: number | null = null;
  let profiled = false;
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1] as number;
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (bytes[at] !== 0xff || end < at + 4 || end > bytes.length) return null;
    const segment = bytes.subarray(at + 4, end);
    if (marker === START_OF_SCAN) return size && { ...size, orientation: orientation ?? 1 };
    if (FRAMES.includes(marker)) {
      if (size !== null) return null;
      size = frameSize(segment);
      if (size === null) return null;
    } else if (marker === EXIF && starts(segment, 'Exif\0\0')) {
      if (orientation !== null) return null;
      orientation = readOrientation(segment.subarray(6));
      if (orientation === null) return null;
    } else if (marker === PROFILE && starts(segment, 'ICC_PROFILE\0')) {
      // Whole in one segment, 1 of 1.
      const whole = segment[12] === 1 && segment[13] === 1 && isSrgbProfile(segment.subarray(14));
      if (profiled || !whole) return null;
      profiled = true;
    } else if (!SKIPPED.includes(marker) && !isApplication(marker)) return null;
    at = end;
  }
  return null;
}

function starts(segment: Buffer, text: string): boolean {
  return segment.toString('latin1', 0, text.length) === text;
}

function frameSize(segment: Buffer): { width: number; height: number } | null {
  if (segment.length < 6) return null;
  const components = segment[5];
  if (segment[0] !== 8 || (components !== 1 && components !== 3)) return null;
  const height = segment.readUInt16BE(1);
  const width = segment.readUInt16BE(3);
  return width > 0 && height > 0 ? { width, height } : null;
}

/** Tag 274 of the first directory (Exif 2.32, 4.6.4), 1 where there is none; null for a directory that is not sound. */
function readOrientation(tiff: Buffer): number | null {
  const order = tiff.toString('latin1', 0, 4);
  if (tiff.length < 8 || (order !== 'II*\0' && order !== 'MM\0*')) return null;
  const little = order === 'II*\0';
  const u16 = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = u32(4);
  if (directory + 2 > tiff.length) return null;
  const end = directory + 2 + u16(directory) * 12;
  if (end > tiff.length) return null;
  let found: number | null = null;
  for (let entry = directory + 2; entry < end; entry += 12) {
    if (u16(entry) !== 274) continue;
    const value = u16(entry + 8);
    // A SHORT, once.
    const sound = u16(entry + 2) === 3 && u32(entry + 4) === 1 && value >= 1 && value <= 8;
    if (!sound || found !== null) return null;
    found = value;
  }
  return found ?? 1;
}
