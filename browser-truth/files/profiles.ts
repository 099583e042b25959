/** ICC profiles (ICC.1:2022) by hand, sound and otherwise. */

type Triple = readonly [number, number, number];
/** Columns: the XYZ of red, green and blue, adapted to D50. */
type Colorants = readonly [Triple, Triple, Triple];

export const SRGB: Colorants = [
  [0.4361, 0.2225, 0.0139],
  [0.3851, 0.7169, 0.0971],
  [0.1431, 0.0606, 0.7141],
];
const P3: Colorants = [
  [0.5151, 0.2412, -0.0011],
  [0.292, 0.6922, 0.0419],
  [0.1571, 0.0666, 0.7841],
];
const ADOBE: Colorants = [
  [0.6097, 0.3111, 0.0195],
  [0.2053, 0.6257, 0.0609],
  [0.1492, 0.0632, 0.7446],
];
const SWAPPED: Colorants = [SRGB[1], SRGB[2], SRGB[0]];

type Tags = Array<[signature: string, data: Buffer]>;

const fixed = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeInt32BE(Math.round(value * 65_536), i * 4));
  return bytes;
};
const typed = (type: string, ...data: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from(`${type}\0\0\0\0`, 'latin1'), ...data]);
const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(Math.round(value), i * 2));
  return bytes;
};
const xyz = (values: Triple): Buffer => typed('XYZ ', fixed(...values));

const SRGB_CURVE = typed(
  'para',
  u16(3, 0),
  fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
);
export const gammaCurve = (gamma: number): Buffer => typed('para', u16(0, 0), fixed(gamma));
/** A table, as profiles of version 2 have. */
const tableCurve = (gamma: number): Buffer => {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(64);
  const table = Array.from({ length: 64 }, (_, i) => 65_535 * (i / 63) ** gamma);
  return typed('curv', count, u16(...table));
};

interface Header {
  space?: string;
  pcs?: string;
  version?: number;
  kind?: string;
}

export function profile(tags: Tags, header: Header = {}): Buffer {
  const { space = 'RGB ', pcs = 'XYZ ', version = 4, kind = 'mntr' } = header;
  const head = Buffer.alloc(128);
  head.writeUInt32BE(version << 24, 8);
  head.write(`${kind}${space}${pcs}`, 12, 'latin1');
  head.writeUInt16BE(2026, 24);
  head.writeUInt16BE(1, 26);
  head.writeUInt16BE(1, 28);
  head.write('acsp', 36, 'latin1');
  fixed(0.9642, 1, 0.8249).copy(head, 68);
  const table = Buffer.alloc(4 + tags.length * 12);
  table.writeUInt32BE(tags.length);
  let offset = head.length + table.length;
  const bodies = tags.map(([signature, data], i) => {
    const entry = 4 + i * 12;
    table.write(signature, entry, 'latin1');
    table.writeUInt32BE(offset, entry + 4);
    table.writeUInt32BE(data.length, entry + 8);
    const padded = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
    offset += padded.length;
    return padded;
  });
  head.writeUInt32BE(offset);
  return Buffer.concat([head, table, ...bodies]);
}

const matrixTags = (
  colorants: Colorants,
  curve = SRGB_CURVE,
  curves = [curve, curve, curve],
): Tags => [
  ['wtpt', xyz([0.9642, 1, 0.8249])],
  ...(['r', 'g', 'b'] as const).flatMap((name, i): Tags => [
    [`${name}XYZ`, xyz(colorants[i] as Triple)],
    [`${name}TRC`, curves[i] as Buffer],
  ]),
];

/** lut16Type: identity matrix, two-point curves, and a grid of so many points on each axis. */
function lut(inputs: number, points: number, at: (...colour: number[]) => Triple): Buffer {
  const nodes = Array.from({ length: points ** inputs }, (_, i) =>
    at(
      ...Array.from({ length: inputs }, (__, axis) => {
        return (Math.floor(i / points ** (inputs - 1 - axis)) % points) / (points - 1);
      }),
    ),
  );
  return typed(
    'mft2',
    Buffer.from([inputs, 3, points, 0]),
    fixed(1, 0, 0, 0, 1, 0, 0, 0, 1),
    u16(2, 2),
    u16(...Array.from({ length: inputs }, () => [0, 65_535]).flat()),
    u16(...nodes.flat()),
    u16(0, 65_535, 0, 65_535, 0, 65_535),
  );
}

/** Lab of version 2 in 16 bits: L of 100 is 0xff00, a and b of 0 are 0x8000. */
const lab = (l: number, a: number, b: number): Triple => [
  (l / 100) * 0xff00,
  0x8000 + a * 256,
  0x8000 + b * 256,
];
/** What hides a picture: everything becomes the same grey. */
const HIDING = lut(3, 2, () => lab(60, 0, 0));
const colourful = (r: number, g: number, b: number): Triple =>
  lab(20 + r * 30 + g * 35 + b * 15, 60 * (r - g), 50 * (g - b));
const COLOURFUL = lut(3, 9, colourful);
/** Between so few points it matters how one interpolates. */
const COARSE = lut(3, 2, colourful);
/** multiProcessElementType: a matrix element that answers with one colour, whatever it is given. */
const FLOATING = ((): Buffer => {
  const floats = Buffer.alloc(12 * 4);
  [0.3, 0.3, 0.25].forEach((value, i) => floats.writeFloatBE(value, (9 + i) * 4));
  const element = typed('matf', u16(3, 3), floats);
  const place = Buffer.alloc(12);
  place.writeUInt32BE(1);
  place.writeUInt32BE(24, 4);
  place.writeUInt32BE(element.length, 8);
  return typed('mpet', u16(3, 3), place, element);
})();

const srgbTags = matrixTags(SRGB);
const edited = (bytes: Buffer, edit: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes);
  edit(copy);
  return copy;
};
const p3 = profile(matrixTags(P3));
const swapped = profile(matrixTags(SWAPPED));

/** Sound profiles of RGB. */
export const RGB_PROFILES = {
  srgb: profile(srgbTags),
  p3,
  adobe: profile(matrixTags(ADOBE, gammaCurve(563 / 256))),
  linear: profile(matrixTags(SRGB, gammaCurve(1))),
  swapped,
  'gamma-v2': profile(matrixTags(SRGB, tableCurve(3)), { version: 2 }),
  'lut-a2b0': profile([...srgbTags, ['A2B0', COLOURFUL]], { pcs: 'Lab ', version: 2 }),
};

/** Tags that browsers do not look at, or look at in another order. */
export const ODD_PROFILES = {
  d2b0: profile([...srgbTags, ['D2B0', FLOATING]]),
  d2b1: profile([...matrixTags(P3), ['D2B1', FLOATING], ['D2B3', FLOATING]]),
  b2d0: profile([...srgbTags, ['B2D0', FLOATING]]),
  'a2b0-coarse': profile([...srgbTags, ['A2B0', COARSE]], { pcs: 'Lab ', version: 2 }),
  a2b1: profile([...srgbTags, ['A2B1', COLOURFUL]], { pcs: 'Lab ', version: 2 }),
  a2b2: profile([...matrixTags(P3), ['A2B2', HIDING]], { version: 2 }),
  'a2b0-and-1': profile([...srgbTags, ['A2B1', HIDING], ['A2B0', COLOURFUL]], {
    pcs: 'Lab ',
    version: 2,
  }),
  'colour-curves': profile(
    matrixTags(SRGB, SRGB_CURVE, [gammaCurve(1), gammaCurve(2.2), gammaCurve(4)]),
  ),
  twice: profile([...matrixTags(P3), ...matrixTags(SWAPPED)]),
  scanner: profile(matrixTags(P3), { kind: 'scnr' }),
  colourspace: profile(matrixTags(P3), { kind: 'spac' }),
  output: profile(matrixTags(P3), { kind: 'prtr' }),
  intent: edited(
    profile([...srgbTags, ['A2B0', COLOURFUL], ['A2B2', HIDING]], { pcs: 'Lab ', version: 2 }),
    (icc) => icc.writeUInt32BE(2, 64),
  ),
};

/** What browsers refuse, and then show the picture without. */
export const BAD_PROFILES = {
  'no-acsp': edited(swapped, (icc) => icc.write('none', 36)),
  'version-5': edited(swapped, (icc) => icc.writeUInt8(5, 8)),
  'illuminant-d65': edited(swapped, (icc) => fixed(0.9505, 1, 1.089).copy(icc, 68)),
  'cut-short': swapped.subarray(0, -30),
  'no-blue': profile(matrixTags(SWAPPED).slice(0, 5)),
  'tag-outside': edited(swapped, (icc) => icc.writeUInt32BE(0xffff, 132 + 8)),
  'pcs-other': profile(matrixTags(SWAPPED), { pcs: 'Luv ' }),
  'larger-than-it-is': edited(swapped, (icc) => icc.writeUInt32BE(icc.length + 1)),
  'space-lab': profile(matrixTags(SWAPPED), { space: 'Lab ' }),
  garbage: Buffer.alloc(200, 0x41),
};

const grey = (gamma: number): Buffer =>
  profile(
    [
      ['wtpt', xyz([0.9642, 1, 0.8249])],
      ['kTRC', gammaCurve(gamma)],
    ],
    { space: 'GRAY' },
  );
export const GREY_PROFILES = { 'grey-1': grey(1), 'grey-2.2': grey(2.2), 'grey-4': grey(4) };

/** Inks of their own colours, none of them what is assumed without a profile. */
export const CMYK_PROFILE = profile(
  [
    ['wtpt', xyz([0.9642, 1, 0.8249])],
    [
      'A2B0',
      lut(4, 5, (c = 0, m = 0, y = 0, k = 0) =>
        lab(Math.max(5, 95 - 25 * c - 35 * m - 8 * y - 60 * k), 50 * (m - c), 60 * (y - m * 0.4)),
      ),
    ],
  ],
  { space: 'CMYK', pcs: 'Lab ', version: 2, kind: 'prtr' },
);
