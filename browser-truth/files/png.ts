import { deflateSync } from 'node:zlib';
import { filesOf, type TruthFile } from './entry.ts';
import { exifOf } from './exif.ts';
import { chunk, png, type ColourType, type PngOptions } from './png-file.ts';
import {
  BAD_PROFILES,
  GREY_PROFILES,
  ODD_PROFILES,
  RGB_PROFILES,
  CMYK_PROFILE,
} from './profiles.ts';

const DEPTHS = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
} as const;
const NAMES = { 0: 'grey', 2: 'rgb', 3: 'palette', 4: 'grey-alpha', 6: 'rgba' };
const TYPES = ([0, 2, 3, 4, 6] as const).flatMap((colour) =>
  DEPTHS[colour].map((depth) => ({ colour, depth, name: `${NAMES[colour]}${depth}` })),
);

const numbers = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32BE(Math.round(value), i * 4));
  return bytes;
};
export const gamma = (value: number): Buffer => chunk('gAMA', numbers(value * 100_000));
const primaries = (...values: number[]): Buffer =>
  chunk('cHRM', numbers(...values.map((value) => value * 100_000)));
export const iccp = (profile: Buffer): Buffer =>
  chunk('iCCP', Buffer.concat([Buffer.from('profile\0\0'), deflateSync(profile)]));
const cicp = (...values: number[]): Buffer => chunk('cICP', Buffer.from(values));
const srgb = chunk('sRGB', Buffer.from([0]));

const D65 = [0.3127, 0.329] as const;
const SRGB_PRIMARIES = primaries(...D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06);
const P3_PRIMARIES = primaries(...D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06);
const SWAPPED_PRIMARIES = primaries(...D65, 0.3, 0.6, 0.15, 0.06, 0.64, 0.33);
const D50_PRIMARIES = primaries(0.3457, 0.3585, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06);

const rgb = (...before: Buffer[]): Buffer => png({ colour: 2, early: before });

export function pngFiles(): TruthFile[] {
  return [
    ...types(),
    ...transparency(),
    ...profiles(),
    ...filesOf('png-gamma', 'png', gammas()),
    ...filesOf('png-priority', 'png', priorities()),
    ...filesOf('png-cicp', 'png', cicps()),
    ...filesOf('png-hdr', 'png', { pq: rgb(cicp(9, 16, 0, 1)), hlg: rgb(cicp(9, 18, 0, 1)) }),
    ...filesOf('png-orientation', 'png', orientations()),
    ...filesOf('png-damage', 'png', damages()),
  ];
}

function types(): TruthFile[] {
  const made = TYPES.flatMap(({ name, ...type }) => [
    [name, png(type)] as const,
    [`${name}-interlaced`, png({ ...type, interlaced: true })] as const,
  ]);
  return filesOf('png-type', 'png', Object.fromEntries(made));
}

function transparency(): TruthFile[] {
  const trns = (options: PngOptions, data: Buffer): Buffer =>
    png({ ...options, before: [chunk('tRNS', data)] });
  const ramp = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, (_, i) => (i * 37) % 256));
  return filesOf('png-trns', 'png', {
    grey1: trns({ colour: 0, depth: 1 }, Buffer.from([0, 1])),
    grey4: trns({ colour: 0, depth: 4 }, Buffer.from([0, 6])),
    grey8: trns({ colour: 0 }, Buffer.from([0, 128])),
    rgb8: trns({ colour: 2 }, Buffer.from([0, 120, 0, 120, 0, 120])),
    'grey8-high-byte': trns({ colour: 0 }, Buffer.from([1, 128])),
    palette8: trns({ colour: 3 }, ramp(256)),
    palette2: trns({ colour: 3, depth: 2 }, ramp(4)),
    'palette8-short': trns({ colour: 3 }, ramp(90)),
    'palette8-long': trns({ colour: 3 }, ramp(257)),
    'palette2-long': trns({ colour: 3, depth: 2 }, ramp(7)),
    'palette4-very-long': trns({ colour: 3, depth: 4 }, ramp(300)),
    'palette4-empty': trns({ colour: 3, depth: 4 }, Buffer.alloc(0)),
    'grey8-short': trns({ colour: 0 }, Buffer.from([0])),
    'grey8-long': trns({ colour: 0 }, Buffer.from([0, 128, 0, 128])),
    'rgb8-long': trns({ colour: 2 }, Buffer.alloc(8, 1)),
    'rgba8-ignored': trns({ colour: 6 }, Buffer.alloc(6)),
    'before-palette': png({ colour: 3, early: [chunk('tRNS', ramp(256))] }),
    twice: png({ colour: 3, before: [chunk('tRNS', ramp(256)), chunk('tRNS', Buffer.alloc(256))] }),
  });
}

function profiles(): TruthFile[] {
  const under = (colour: ColourType, depth: 8 | 16, all: Record<string, Buffer>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, profile]) => [
        `${NAMES[colour]}${depth}-${name}`,
        png({ colour, depth, early: [iccp(profile)] }),
      ]),
    );
  const { swapped, p3, linear, srgb: same } = RGB_PROFILES;
  const few = { swapped, p3, 'lut-a2b0': RGB_PROFILES['lut-a2b0'], d2b0: ODD_PROFILES.d2b0 };
  return [
    ...filesOf('png-profile', 'png', {
      ...under(2, 8, RGB_PROFILES),
      ...under(2, 8, ODD_PROFILES),
      ...under(6, 8, few),
      ...under(3, 8, few),
      ...under(2, 16, few),
      ...under(6, 16, { swapped }),
    }),
    ...filesOf('png-profile-bad', 'png', under(2, 8, { ...BAD_PROFILES, cmyk: CMYK_PROFILE })),
    ...filesOf('png-profile-grey', 'png', {
      ...under(0, 8, { ...GREY_PROFILES, srgb: same, linear, swapped, d2b0: ODD_PROFILES.d2b0 }),
      ...under(0, 8, { 'colour-curves': ODD_PROFILES['colour-curves'] }),
      ...under(0, 16, { 'grey-4': GREY_PROFILES['grey-4'], linear }),
      ...under(4, 8, { 'grey-4': GREY_PROFILES['grey-4'], linear }),
      ...under(2, 8, { 'grey-4': GREY_PROFILES['grey-4'] }),
      ...under(3, 8, { 'grey-4': GREY_PROFILES['grey-4'] }),
    }),
  ];
}

function gammas(): Record<string, Buffer> {
  const values = [0, 0.00001, 0.1, 0.25, 0.45455, 0.5, 1, 4, 20];
  const chosen = [
    { colour: 0, depth: 8 },
    { colour: 0, depth: 16 },
    { colour: 0, depth: 2 },
    { colour: 2, depth: 16 },
    { colour: 3, depth: 8 },
    { colour: 4, depth: 8 },
    { colour: 4, depth: 16 },
    { colour: 6, depth: 8 },
    { colour: 6, depth: 16 },
  ] as const;
  return {
    ...Object.fromEntries(values.map((value) => [`rgb8-${value}`, rgb(gamma(value))])),
    ...Object.fromEntries(
      chosen.flatMap((type) =>
        [1, 4].map((value) => [
          `${NAMES[type.colour]}${type.depth}-${value}`,
          png({ ...type, early: [gamma(value)] }),
        ]),
      ),
    ),
    'rgb8-trns-1': png({
      colour: 2,
      early: [gamma(1)],
      before: [chunk('tRNS', Buffer.alloc(6, 1))],
    }),
    'rgb8-interlaced-1': png({ colour: 2, interlaced: true, early: [gamma(1)] }),
    'with-primaries': rgb(gamma(0.45455), SRGB_PRIMARIES),
    'with-primaries-p3': rgb(gamma(0.45455), P3_PRIMARIES),
    'with-primaries-swapped': rgb(gamma(0.45455), SWAPPED_PRIMARIES),
    'with-primaries-d50': rgb(gamma(0.45455), D50_PRIMARIES),
    'linear-with-primaries-p3': rgb(gamma(1), P3_PRIMARIES),
    'primaries-alone': rgb(SWAPPED_PRIMARIES),
    'primaries-impossible': rgb(gamma(1), primaries(...D65, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)),
    'grey-with-primaries': png({ colour: 0, early: [gamma(1), SWAPPED_PRIMARIES] }),
    'behind-data': png({ colour: 2, after: [gamma(4)] }),
    'behind-palette': png({ colour: 3, before: [gamma(4)] }),
    twice: rgb(gamma(4), gamma(0.25)),
    'too-long': rgb(chunk('gAMA', numbers(400_000, 0))),
    'bad-checksum': rgb(broken(gamma(4))),
  };
}

function priorities(): Record<string, Buffer> {
  const swapped = iccp(RGB_PROFILES.swapped);
  return {
    'srgb-gamma': rgb(srgb, gamma(4)),
    'gamma-srgb': rgb(gamma(4), srgb),
    'srgb-primaries': rgb(srgb, gamma(0.45455), SWAPPED_PRIMARIES),
    'icc-gamma': rgb(swapped, gamma(4)),
    'gamma-icc': rgb(gamma(4), swapped),
    'icc-srgb': rgb(swapped, srgb),
    'srgb-icc': rgb(srgb, swapped),
    'bad-icc-gamma': rgb(iccp(BAD_PROFILES['no-acsp']), gamma(1)),
    'bad-icc-srgb-gamma': rgb(iccp(BAD_PROFILES['no-acsp']), srgb, gamma(1)),
    'cicp-icc': rgb(cicp(1, 13, 0, 1), swapped),
    'cicp-gamma': rgb(cicp(1, 13, 0, 1), gamma(4)),
    'cicp-p3-srgb': rgb(cicp(12, 13, 0, 1), srgb),
    'cicp-unknown-icc': rgb(cicp(2, 2, 0, 1), swapped),
    'icc-twice': rgb(swapped, iccp(RGB_PROFILES.linear)),
    'icc-behind-palette': png({ colour: 3, before: [swapped] }),
    'icc-behind-data': png({ colour: 2, after: [swapped] }),
    'icc-bad-checksum': rgb(broken(swapped)),
    'icc-no-name': rgb(
      chunk('iCCP', Buffer.concat([Buffer.from('\0\0'), deflateSync(RGB_PROFILES.swapped)])),
    ),
    'icc-other-method': rgb(
      chunk('iCCP', Buffer.concat([Buffer.from('a\0\x01'), deflateSync(RGB_PROFILES.swapped)])),
    ),
    'icc-stream-cut': rgb(
      chunk(
        'iCCP',
        Buffer.concat([Buffer.from('a\0\0'), deflateSync(RGB_PROFILES.swapped).subarray(0, -9)]),
      ),
    ),
    'srgb-behind-data': png({ colour: 2, early: [gamma(4)], after: [srgb] }),
  };
}

function cicps(): Record<string, Buffer> {
  return {
    srgb: rgb(cicp(1, 13, 0, 1)),
    p3: rgb(cicp(12, 13, 0, 1)),
    bt709: rgb(cicp(1, 1, 0, 1)),
    'bt2020-srgb': rgb(cicp(9, 13, 0, 1)),
    bt2020: rgb(cicp(9, 14, 0, 1)),
    linear: rgb(cicp(1, 8, 0, 1)),
    'gamma-2.2': rgb(cicp(1, 4, 0, 1)),
    'gamma-2.8': rgb(cicp(1, 5, 0, 1)),
    narrow: rgb(cicp(1, 13, 0, 0)),
    'matrix-1': rgb(cicp(12, 13, 1, 1)),
    reserved: rgb(cicp(3, 3, 0, 1)),
    film: rgb(cicp(8, 4, 0, 1)),
    xyz: rgb(cicp(10, 8, 0, 1)),
    'smpte-240': rgb(cicp(7, 7, 0, 1)),
    log: rgb(cicp(1, 9, 0, 1)),
    grey8: png({ colour: 0, early: [cicp(1, 8, 0, 1)] }),
    rgba16: png({ colour: 6, depth: 16, early: [cicp(12, 8, 0, 1)] }),
    palette: png({ colour: 3, early: [cicp(12, 8, 0, 1)] }),
    'too-short': rgb(chunk('cICP', Buffer.from([12, 8, 0]))),
    'behind-data': png({ colour: 2, after: [cicp(12, 8, 0, 1)] }),
  };
}

function orientations(): Record<string, Buffer> {
  const turned = [1, 2, 3, 4, 5, 6, 7, 8].map((value) => [
    String(value),
    rgb(chunk('eXIf', exifOf(value))),
  ]);
  return {
    ...(Object.fromEntries(turned) as Record<string, Buffer>),
    'sixteen-bits': png({ colour: 2, depth: 16, early: [gamma(1), chunk('eXIf', exifOf(6))] }),
    'behind-data': png({ colour: 2, after: [chunk('eXIf', exifOf(6))] }),
    'big-endian': rgb(chunk('eXIf', exifOf(8, 'MM'))),
    twice: rgb(chunk('eXIf', exifOf(3)), chunk('eXIf', exifOf(6))),
    'exif-prefix': rgb(chunk('eXIf', Buffer.concat([Buffer.from('Exif\0\0'), exifOf(6)]))),
  };
}

/** The checksum is another. */
function broken(whole: Buffer): Buffer {
  const copy = Buffer.from(whole);
  copy.writeUInt32BE((copy.readUInt32BE(copy.length - 4) ^ 0xff) >>> 0, copy.length - 4);
  return copy;
}

function damages(): Record<string, Buffer> {
  const whole = rgb();
  const other = (data: (compressed: Buffer) => Buffer[]): Buffer => png({ colour: 2, data });
  return {
    'no-iend': whole.subarray(0, -12),
    adler: other((rows) => {
      const copy = Buffer.from(rows);
      copy.writeUInt32BE(1, copy.length - 4);
      return [chunk('IDAT', copy)];
    }),
    'no-adler': other((rows) => [chunk('IDAT', rows.subarray(0, -4))]),
    'cut-30': whole.subarray(0, whole.length * 0.3),
    'cut-60': whole.subarray(0, whole.length * 0.6),
    'cut-90': whole.subarray(0, whole.length * 0.9),
    'data-checksum': other((rows) => [broken(chunk('IDAT', rows))]),
    'data-in-ten': other((rows) =>
      Array.from({ length: 10 }, (_, i) =>
        chunk('IDAT', rows.subarray((i * rows.length) / 10, ((i + 1) * rows.length) / 10)),
      ),
    ),
    'data-too-long': other((rows) => [chunk('IDAT', rows), chunk('IDAT', Buffer.alloc(100, 7))]),
    'bytes-behind': Buffer.concat([whole, Buffer.alloc(500, 0x41)]),
    'palette-in-rgb': png({ colour: 2, before: [chunk('PLTE', Buffer.alloc(12, 90))] }),
    'palette-short': png({ colour: 3, depth: 8, data: (rows) => [chunk('IDAT', rows)] }),
    'unknown-critical': rgb(chunk('JUNK')),
    'unknown-ancillary': rgb(chunk('juNk', Buffer.alloc(9))),
  };
}
