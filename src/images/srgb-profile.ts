/** Colorants of sRGB adapted to D50 (IEC 61966-2-1, ICC profile connection space): red, green, blue. */
const COLORANTS = [
  ['rXYZ', 0.4361, 0.2225, 0.0139],
  ['gXYZ', 0.3851, 0.7169, 0.0971],
  ['bXYZ', 0.1431, 0.0606, 0.7141],
] as const;

/** Far below what 8 bits can tell, far above the rounding differences between makers' sRGB profiles. */
const TOLERANCE = 0.003;

const sRgb = (x: number): number => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);

/**
 * Whether an ICC profile says what is assumed of an image without one: most embedded profiles do, and
 * converting through them takes longer than decoding the image. Told by its numbers, not by its name.
 */
export function isSrgbProfile(profile: Buffer): boolean {
  try {
    if (profile.toString('latin1', 16, 24) !== 'RGB XYZ ') return false;
    const tags = readTags(profile);
    // A profile with lookup tables is read through those, whatever its colorants say.
    if (tags.has('A2B0') || tags.has('A2B1')) return false;
    return (
      COLORANTS.every(([name, ...xyz]) =>
        xyz.every((value, i) => {
          const tag = tags.get(name);
          return tag !== undefined && Math.abs(fixed(tag, 8 + i * 4) - value) < TOLERANCE;
        }),
      ) && ['rTRC', 'gTRC', 'bTRC'].every((name) => isSrgbCurve(tags.get(name)))
    );
  } catch (error) {
    // Offsets beyond the profile: let the decoder judge it. By name: the error may come from another realm.
    if ((error as Error).name === 'RangeError') return false;
    throw error;
  }
}

/** s15Fixed16Number. */
function fixed(bytes: Buffer, offset: number): number {
  return bytes.readInt32BE(offset) / 65_536;
}

function readTags(profile: Buffer): Map<string, Buffer> {
  const count = Math.min(profile.readUInt32BE(128), 100);
  const tags = new Map<string, Buffer>();
  for (let i = 0; i < count; i++) {
    const entry = 132 + i * 12;
    const offset = profile.readUInt32BE(entry + 4);
    const size = profile.readUInt32BE(entry + 8);
    const name = profile.toString('latin1', entry, entry + 4);
    // The first of a name counts, as in browsers.
    if (!tags.has(name)) tags.set(name, profile.subarray(offset, offset + size));
  }
  return tags;
}

function isSrgbCurve(tag: Buffer | undefined): boolean {
  if (tag === undefined) return false;
  const curve = readCurve(tag);
  return (
    curve !== null &&
    [0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1].every(
      (x) => Math.abs(curve(x) - sRgb(x)) < TOLERANCE,
    )
  );
}

/** ICC.1:2022, 10.6 curveType and 10.18 parametricCurveType (function type 3, the one sRGB is written in). */
function readCurve(tag: Buffer): ((x: number) => number) | null {
  const type = tag.toString('latin1', 0, 4);
  if (type === 'curv') {
    const count = tag.readUInt32BE(8);
    if (count < 2) return null;
    return (x) => {
      const at = x * (count - 1);
      const low = Math.floor(at);
      const high = Math.min(low + 1, count - 1);
      const sample = (i: number) => tag.readUInt16BE(12 + i * 2) / 65_535;
      return sample(low) + (sample(high) - sample(low)) * (at - low);
    };
  }
  if (type !== 'para' || tag.readUInt16BE(8) !== 3) return null;
  const [g, a, b, c, d] = [12, 16, 20, 24, 28].map((offset) => fixed(tag, offset)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return (x) => (x >= d ? (a * x + b) ** g : c * x);
}
