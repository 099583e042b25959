import { deflateSync } from 'node:zlib';
import type { Codec } from './codec.ts';
import { greyProfile } from './made-profile.ts';
import { chunkOf, PNG_SIGNATURE } from './png-chunks.ts';
import { iccpOf } from './png-colour.ts';

const LEVELS = 256;
/** Shares of red, green and blue in the luminance of sRGB. */
const LUMINANCE = [0.2126, 0.7152, 0.0722] as const;
/** Levels between the channels from which a grey looks tinted. */
const TINTED = 3;

export interface GreyProfile {
  profile: Buffer;
  /** Whether browsers show greys of other colours, which no profile of grey can say. */
  tinted: boolean;
}

/**
 * A profile of grey by which grey samples get the luminance that a browser shows them in through a profile of RGB,
 * which lcms applies to RGB alone.
 */
export async function greyOf(profile: Buffer, codec: Codec): Promise<GreyProfile> {
  const rgb = await codec.pixelsOf(rampThrough(profile));
  const levels = Array.from({ length: LEVELS }, (_, i) => [...rgb.subarray(i * 3, i * 3 + 3)]);
  const light = levels.map((level) =>
    LUMINANCE.reduce((sum, share, i) => sum + share * toLight(level[i] ?? 0), 0),
  );
  const curve = (sample: number): number => {
    const at = sample * (LEVELS - 1);
    const low = light[Math.floor(at)] ?? 0;
    const high = light[Math.ceil(at)] ?? low;
    return low + (high - low) * (at - Math.floor(at));
  };
  return {
    profile: greyProfile(curve),
    tinted: levels.some((level) => Math.max(...level) - Math.min(...level) >= TINTED),
  };
}

const toLight = (level: number): number => {
  const x = level / 255;
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
};

/** A PNG of 256 × 1 pixels of RGB, from black to white. */
function rampThrough(profile: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(LEVELS);
  header.writeUInt32BE(1, 4);
  header.set([8, 2], 8);
  const row = [0, ...Array.from({ length: LEVELS }, (_, level) => [level, level, level]).flat()];
  return Buffer.concat([
    PNG_SIGNATURE,
    chunkOf('IHDR', header),
    iccpOf(profile),
    chunkOf('IDAT', deflateSync(Buffer.from(row))),
    chunkOf('IEND'),
  ]);
}
