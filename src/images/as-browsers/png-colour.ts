import { deflateSync, inflateSync } from 'node:zlib';
import { browserProfile } from './browser-profile.ts';
import { profileOfCodes } from './code-points.ts';
import {
  asDisplay,
  greyProfile,
  matrixProfile,
  SRGB_CHROMATICITIES,
  toD50,
} from './made-profile.ts';
import { chunkOf } from './png-chunks.ts';
import type { PngHeader } from './png-header.ts';

/** A profile larger than this is none that anybody made. */
const MAX_PROFILE_BYTES = 16 * 2 ** 20;

/** Chunks that say something about colours; PNG (third edition), section 11.3.2. */
export const COLOUR_CHUNKS = ['cICP', 'iCCP', 'sRGB', 'gAMA', 'cHRM'];

/** The profile by which a browser shows a PNG, the first of these that it understands: cICP, iCCP, sRGB, gAMA. */
export function profileOfPng(header: PngHeader): Buffer | 'srgb' {
  const codes = header.first('cICP', 4);
  if (codes !== null) {
    const [primaries = 0, transfer = 0] = codes;
    const profile = profileOfCodes(primaries, transfer, header.samples);
    if (profile !== null) return profile;
  }
  const named = header.first('iCCP');
  const icc = named && inflated(named);
  const profile = icc && browserProfile(icc, header.samples, { anySpace: true });
  if (profile !== null) return profile;
  if (header.first('sRGB', 1) !== null) return 'srgb';
  return profileOfGamma(header) ?? 'srgb';
}

/** A name, a zero, the method 0, and a stream; section 11.3.2.3. */
function inflated(named: Buffer): Buffer | null {
  const end = named.indexOf(0);
  if (end < 1 || end > 79 || named[end + 1] !== 0) return null;
  try {
    return inflateSync(named.subarray(end + 2), { maxOutputLength: MAX_PROFILE_BYTES });
  } catch {
    return null;
  }
}

/** gAMA is the exponent from light to samples, times 100,000, and cHRM says whose primaries; without gAMA it does not count. */
function profileOfGamma(header: PngHeader): Buffer | null {
  const gamma = header.first('gAMA', 4)?.readUInt32BE(0) ?? 0;
  if (gamma === 0) return null;
  const curve = (sample: number): number => sample ** (100_000 / gamma);
  const given = header.first('cHRM', 32);
  // Encoders write this for sRGB, and browsers take it so.
  if (gamma === 45_455 && given === null) return null;
  const chromaticities = given
    ? Array.from({ length: 8 }, (_, i) => given.readUInt32BE(i * 4) / 100_000)
    : SRGB_CHROMATICITIES;
  if (header.samples === 'GRAY') return toD50(chromaticities) && greyProfile(curve);
  return matrixProfile(chromaticities, curve);
}

export function iccpOf(profile: Buffer): Buffer {
  const icc = profile.toString('latin1', 12, 16) === 'link' ? asDisplay(profile) : profile;
  return chunkOf('iCCP', Buffer.from('as browsers\0\0', 'latin1'), deflateSync(icc, { level: 1 }));
}
