import { isSrgbProfile } from '../srgb-profile.ts';
import { isSoundCurve, isSoundTable } from './profile-tags.ts';

/** The kind of colours that the samples of a picture are. */
export type Samples = 'RGB ' | 'GRAY' | 'CMYK';

const HEADER = 128;
const ENTRY = 12;
/** Profiles have 10 to 30; more are nothing that anybody made. */
const MAX_TAGS = 200;
/** The XYZ of D50, which the connection space is about. */
const D50 = [0.9642, 1, 0.8249] as const;
const NEAR_D50 = 0.01;

export interface Tag {
  signature: string;
  offset: number;
  size: number;
}

/**
 * The profile with nothing but what a browser reads of it, as long as it was, such that our colour management reads
 * the same; null where a browser ignores the profile, and `'srgb'` where it says what is assumed without one.
 *
 * Browsers (Chromium and Firefox: skcms and qcms) read ICC.1 as far as A2B0, else A2B1, else the matrix and the
 * curves; lcms prefers the floating-point D2Bx tags, A2Bx of the intent, and adapts the black point from version 4 on.
 * `anySpace`: in a PNG they take a profile of whatever space but grey and CMYK for one of RGB.
 * What is not read here is left out, so that no tag can show people one picture and the model another.
 */
export function browserProfile(
  icc: Buffer,
  samples: Samples,
  { anySpace = false } = {},
): Buffer | 'srgb' | null {
  const tags = soundTags(icc);
  if (tags === null) return null;
  const named = icc.toString('latin1', 16, 20);
  const space = anySpace && !['GRAY', 'CMYK'].includes(named) ? 'RGB ' : named;
  const fits = samples === 'GRAY' ? space === 'GRAY' || space === 'RGB ' : space === samples;
  if (!fits) return null;
  const used = usedTags(icc, tags, space as Samples);
  if (used === null) return null;
  if (space === 'RGB ' && isSrgbProfile(icc)) return 'srgb';
  return reduced(icc, used, space as Samples);
}

/** The tag table of a profile whose header and places are sound, as skcms checks them; null otherwise. */
function soundTags(icc: Buffer): Tag[] | null {
  if (icc.length < HEADER + 4) return null;
  const size = icc.readUInt32BE(0);
  const count = icc.readUInt32BE(HEADER);
  const connection = icc.toString('latin1', 20, 24);
  const sound =
    size <= icc.length &&
    count <= MAX_TAGS &&
    size >= HEADER + 4 + count * ENTRY &&
    icc.readUInt8(8) <= 4 &&
    icc.toString('latin1', 36, 40) === 'acsp' &&
    (connection === 'XYZ ' || connection === 'Lab ') &&
    D50.every((value, i) => Math.abs(icc.readInt32BE(68 + i * 4) / 65_536 - value) <= NEAR_D50);
  if (!sound) return null;
  const tags = Array.from({ length: count }, (_, i): Tag => {
    const entry = HEADER + 4 + i * ENTRY;
    return {
      signature: icc.toString('latin1', entry, entry + 4),
      offset: icc.readUInt32BE(entry + 4),
      size: icc.readUInt32BE(entry + 8),
    };
  });
  return tags.every((tag) => tag.size >= 4 && tag.offset + tag.size <= size) ? tags : null;
}

/** The tags that a browser converts by, the first of each name; null where they are missing or unsound. */
function usedTags(icc: Buffer, tags: readonly Tag[], space: Samples): Tag[] | null {
  const find = (signature: string) => tags.find((tag) => tag.signature === signature);
  const bytesOf = ({ offset, size }: Tag) => icc.subarray(offset, offset + size);
  const curves = (space === 'GRAY' ? ['kTRC'] : ['rTRC', 'gTRC', 'bTRC']).map(find);
  const colorants = ['rXYZ', 'gXYZ', 'bXYZ'].map(find);
  const isWhole = (part: ReadonlyArray<Tag | undefined>): part is Tag[] =>
    !part.includes(undefined);
  // A malformed tag makes the whole profile unsound, even where another would be used in its place.
  if (isWhole(curves) && !curves.every((tag) => isSoundCurve(bytesOf(tag)))) return null;
  if (isWhole(colorants) && !colorants.every((tag) => isColorant(bytesOf(tag)))) return null;
  const table = find('A2B0') ?? find('A2B1');
  if (table !== undefined) {
    const inputs = { 'RGB ': 3, GRAY: 1, CMYK: 4 }[space];
    if (!isSoundTable(bytesOf(table), inputs)) return null;
    return [{ ...table, signature: 'A2B0' }];
  }
  if (!isWhole(curves) || space === 'CMYK') return null;
  if (space === 'GRAY') return curves;
  return isWhole(colorants) ? [...curves, ...colorants] : null;
}

const isColorant = (tag: Buffer): boolean =>
  tag.length >= 20 && tag.toString('latin1', 0, 4) === 'XYZ ';

/** A display profile of version 2 with these tags where they lie. */
function reduced(icc: Buffer, used: readonly Tag[], space: Samples): Buffer {
  const copy = Buffer.from(icc);
  copy.writeUInt32BE(0x02400000, 8);
  // Through the table of a device link lcms does not adapt the black point, which it does for other profiles.
  copy.write(used[0]?.signature === 'A2B0' ? 'link' : 'mntr', 12, 'latin1');
  copy.write(space, 16, 'latin1');
  copy.fill(0, 64, 68); // The intent: perceptual.
  const table = HEADER + 4;
  copy.fill(0, HEADER, table + copy.readUInt32BE(HEADER) * ENTRY);
  copy.writeUInt32BE(used.length, HEADER);
  used.forEach(({ signature, offset, size }, i) => {
    copy.write(signature, table + i * ENTRY, 'latin1');
    copy.writeUInt32BE(offset, table + i * ENTRY + 4);
    copy.writeUInt32BE(size, table + i * ENTRY + 8);
  });
  return copy;
}
