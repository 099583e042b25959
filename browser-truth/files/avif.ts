import type { AvifOptions } from 'sharp';
import {
  auxiliary,
  avif,
  box,
  clap,
  icc,
  imir,
  irot,
  itemOf,
  nclx,
  u16,
  u32,
  type Item,
} from './avif-file.ts';
import { filesOf, type TruthFile } from './entry.ts';
import { exifOf } from './exif.ts';
import { picture } from './jpeg.ts';
import { HEIGHT, WIDTH } from './picture.ts';
import { BAD_PROFILES, GREY_PROFILES, ODD_PROFILES, RGB_PROFILES } from './profiles.ts';

const FULL = 1;
const encoded = async (options: AvifOptions = {}, channels: 1 | 3 | 4 = 3): Promise<Buffer> =>
  await picture(channels)
    .avif({ quality: 95, effort: 2, chromaSubsampling: '4:4:4', ...options })
    .toBuffer();

export async function avifFiles(): Promise<TruthFile[]> {
  const plain = await encoded();
  const item = itemOf(plain);
  const withAlpha = await encoded({}, 4);
  const grey = await picture(1).toColourspace('b-w').avif({ quality: 95, effort: 2 }).toBuffer();
  const deep = async (bitdepth: 10 | 12) => itemOf(await encoded({ bitdepth }));
  const wrap = (properties: Buffer[], from: Item = item): Buffer =>
    avif([{ ...from, properties: [...from.properties, ...properties] }]);
  const under = (all: Record<string, Buffer>): Record<string, Buffer> =>
    Object.fromEntries(Object.entries(all).map(([name, bytes]) => [name, wrap([icc(bytes)])]));
  const limited = (profile: Buffer): Buffer => wrap([icc(profile), nclx(1, 13, 6)]);
  return [
    ...filesOf('avif-type', 'avif', {
      plain,
      '420': await encoded({ chromaSubsampling: '4:2:0' }),
      lossless: await encoded({ lossless: true }),
      alpha: withAlpha,
      grey,
      rewrapped: wrap([]),
      'ten-bits': wrap([], await deep(10)),
      'twelve-bits': wrap([], await deep(12)),
      'exif-orientation': withExif(item, 6),
      grid: await grid(),
    }),
    ...filesOf('avif-profile', 'avif', { ...under({ ...RGB_PROFILES, ...ODD_PROFILES }) }),
    ...filesOf('avif-profile-bad', 'avif', {
      ...under({ ...BAD_PROFILES, grey: GREY_PROFILES['grey-4'] }),
    }),
    ...filesOf('avif-nclx', 'avif', {
      srgb: wrap([nclx(1, 13, 6)]),
      'icc-and-nclx': limited(RGB_PROFILES.swapped),
      'nclx-and-icc': wrap([nclx(1, 13, 6), icc(RGB_PROFILES.swapped)]),
      p3: wrap([nclx(12, 13, 6)]),
      bt2020: wrap([nclx(9, 14, 6)]),
      linear: wrap([nclx(1, 8, 6)]),
      'gamma-2.8': wrap([nclx(1, 5, 6)]),
      'matrix-709': wrap([nclx(1, 13, 1)]),
      'matrix-2020': wrap([nclx(1, 13, 9)]),
      limited: wrap([nclx(1, 13, 6, false)]),
      unspecified: wrap([nclx(2, 2, 6)]),
      'all-unspecified': wrap([nclx(2, 2, 2)]),
      identity: wrap([nclx(1, 13, 0)]),
      'grey-limited': wrap([nclx(1, 13, 6, false)], itemOf(grey)),
      'grey-linear': wrap([nclx(1, 8, 6)], itemOf(grey)),
      'grey-srgb': wrap([nclx(1, 13, 6)], itemOf(grey)),
      'grey-icc-grey': wrap([icc(GREY_PROFILES['grey-4'])], itemOf(grey)),
      'grey-icc-linear': wrap([icc(RGB_PROFILES.linear)], itemOf(grey)),
    }),
    ...filesOf('avif-hdr', 'avif', {
      pq: wrap([nclx(9, 16, 9)], await deep(10)),
      hlg: wrap([nclx(9, 18, 9)], await deep(10)),
    }),
    ...filesOf('avif-turned', 'avif', {
      'irot-1': wrap([irot(1)]),
      'irot-2': wrap([irot(2)]),
      'irot-3': wrap([irot(3)]),
      'imir-0': wrap([imir(0)]),
      'imir-1': wrap([imir(1)]),
      'irot-1-imir-0': wrap([irot(1), imir(0)]),
      'imir-0-irot-1': wrap([imir(0), irot(1)]),
    }),
    ...filesOf('avif-clap', 'avif', {
      corner: wrap([clap(16, 1, 16, 1, -16, 1, -8, 1)]),
      whole: wrap([clap(WIDTH, 1, HEIGHT, 1, 0, 1, 0, 1)]),
      fractions: wrap([clap(50, 3, 16, 1, 0, 1, 0, 1)]),
      outside: wrap([clap(480, 1, 320, 1, 0, 1, 0, 1)]),
      'zero-denominator': wrap([clap(16, 0, 16, 1, 0, 1, 0, 1)]),
      turned: wrap([clap(16, 1, 16, 1, 8, 1, 0, 1), irot(1)]),
    }),
    ...filesOf('avif-alpha', 'avif', {
      rewrapped: alphaOf(withAlpha, []),
      profile: alphaOf(withAlpha, [icc(RGB_PROFILES.swapped)]),
      turned: alphaOf(withAlpha, [irot(1)]),
    }),
    ...filesOf('avif-damage', 'avif', {
      'cut-60': plain.subarray(0, plain.length * 0.6),
      'cut-90': plain.subarray(0, plain.length * 0.9),
      'bytes-behind': Buffer.concat([plain, Buffer.alloc(99, 0x41)]),
    }),
  ];
}

function alphaOf(file: Buffer, properties: Buffer[]): Buffer {
  const colour = itemOf(file);
  const alpha = itemOf(file, 1);
  const turns = properties.filter((property) => property.toString('latin1', 4, 8) === 'irot');
  return avif([
    { ...colour, properties: [...colour.properties, ...properties] },
    {
      ...alpha,
      properties: [...alpha.properties, auxiliary, ...turns],
      references: [['auxl', [1]]],
    },
  ]);
}

function withExif(item: Item, orientation: number): Buffer {
  const data = Buffer.concat([u32(0), exifOf(orientation)]);
  return avif([item, { data, type: 'Exif', properties: [], references: [['cdsc', [1]]] }]);
}

/** Two tiles beside each other; ISO/IEC 23008-12, section 6.6.2.3. */
async function grid(): Promise<Buffer> {
  const tile = async (turn: number): Promise<Item> =>
    itemOf(
      await picture(3, turn)
        .resize(64, 64, { fit: 'fill' })
        .avif({ quality: 95, effort: 2, chromaSubsampling: '4:4:4' })
        .toBuffer(),
    );
  const size = [100, 64] as const;
  const data = Buffer.concat([Buffer.from([0, 0, 0, FULL]), u16(...size)]);
  const ispe = box('ispe', u32(0, ...size));
  return avif([
    { data, type: 'grid', properties: [ispe], references: [['dimg', [2, 3]]] },
    await tile(0),
    await tile(16),
  ]);
}
