import { entriesOf, type Entry } from './entry.ts';
import { zlibOfZeros } from './zeros.ts';

/** Tag, type (3 SHORT, 4 LONG) and values; where they do not fit into the entry, `at` is where they lie. */
type Field = [tag: number, type: 3 | 4, count: number, valueOrOffset: number];

const HEADER = Buffer.from('II*\0\x08\0\0\0', 'latin1');
const MIB = 2 ** 20;

/** An image file directory, little endian; TIFF 6.0, section 2. */
function ifd(fields: readonly Field[], next = 0): Buffer {
  const directory = Buffer.alloc(2 + fields.length * 12 + 4);
  directory.writeUInt16LE(fields.length);
  fields.forEach(([tag, type, count, value], index) => {
    const at = 2 + index * 12;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count, at + 4);
    directory.writeUInt32LE(value, at + 8);
  });
  directory.writeUInt32LE(next, directory.length - 4);
  return directory;
}

interface Page {
  width: number;
  height: number;
  /** 1 none, 5 LZW, 7 JPEG, 8 Deflate, 32773 PackBits */
  compression?: number;
  rowsPerStrip?: number;
  strips?: [offset: number, bytes: number];
  /** Fields instead of those with the same tag, and more. */
  more?: readonly Field[];
}

/** A grey page of 8 bits and one strip. */
function fieldsOf({ width, height, compression = 1, ...page }: Page): Field[] {
  const [offset, bytes] = page.strips ?? [0, 0];
  const fields: Field[] = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 1, 8],
    [259, 3, 1, compression],
    [262, 3, 1, 1],
    [273, 4, 1, offset],
    [277, 3, 1, 1],
    [278, 4, 1, page.rowsPerStrip ?? height],
    [279, 4, 1, bytes],
  ];
  const more = new Map((page.more ?? []).map((field) => [field[0], field] as const));
  const kept = fields.filter(([tag]) => !more.has(tag));
  return [...kept, ...more.values()].sort(([a], [b]) => a - b);
}

/** One page, its data behind the directory. */
function tiff(page: Page, data: Buffer = Buffer.alloc(0), next = 0): Buffer {
  const { length } = ifd(fieldsOf(page));
  const strips: [number, number] = [HEADER.length + length, data.length];
  return Buffer.concat([HEADER, ifd(fieldsOf({ strips, ...page }), next), data]);
}

/** Pages of one pixel that share it. */
function pages(count: number): Buffer {
  const { length } = ifd(fieldsOf({ width: 1, height: 1 }));
  const page = (index: number): Buffer => {
    const last = index === count - 1;
    const next = last ? 0 : HEADER.length + (index + 1) * length;
    return ifd(fieldsOf({ width: 1, height: 1, strips: [0, 1] }), next);
  };
  return Buffer.concat([HEADER, ...Array.from({ length: count }, (_, index) => page(index))]);
}

const NO_STRIPS = [273, 278, 279];
/** Tiles in place of strips. */
function tiled(width: number, height: number, edge: number, count: number, where = 8): Buffer {
  const fields = fieldsOf({
    width,
    height,
    more: [
      [322, 4, 1, edge],
      [323, 4, 1, edge],
      [324, 4, count, where],
      [325, 4, count, where],
    ],
  });
  return Buffer.concat([HEADER, ifd(fields.filter(([tag]) => !NO_STRIPS.includes(tag)))]);
}

export function tiffEntries(): Entry[] {
  const grey = Buffer.alloc(30 * 20, 0x80);
  const size = { width: 30, height: 20 };
  const bomb = zlibOfZeros(1e8);
  const big = Buffer.from('II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0', 'latin1');
  return [
    ...entriesOf('tiff', {
      'tiff of one page': tiff(size, grey),
      'tiff whose directory follows itself': tiff(size, grey, 8),
      'tiff whose next directory lies outside': tiff(size, grey, 0xfffffff0),
      'tiff of 3 pages': pages(3),
      'tiff of 10,001 pages': pages(10_001),
      'tiff that is its own sub-directory': tiff({ ...size, more: [[330, 4, 1, 8]] }, grey),
      'tiff that is its own EXIF': tiff({ ...size, more: [[34_665, 4, 1, 8]] }, grey),
      'tiff of 65,535 x 65,535 with little data': tiff({ width: 65_535, height: 65_535 }, grey),
      'tiff of 2^32-1 x 1': tiff({ width: 0xffffffff, height: 1 }, grey),
      'tiff of 0 x 0': tiff({ width: 0, height: 0 }, grey),
      'tiff of 1 x 65,535': tiff({ width: 1, height: 65_535 }, Buffer.alloc(65_535)),
      'tiff of 65,535 x 1': tiff({ width: 65_535, height: 1 }, Buffer.alloc(65_535)),
      'tiff of 65,535 samples a pixel': tiff({ ...size, more: [[277, 3, 1, 65_535]] }, grey),
      'tiff of 64 bits a sample': tiff({ ...size, more: [[258, 3, 1, 64]] }, grey),
      'tiff with a strip for each of its rows, of which there is one': tiff(
        { ...size, rowsPerStrip: 1 },
        grey,
      ),
      'tiff with 0 rows a strip': tiff({ ...size, rowsPerStrip: 0 }, grey),
      'tiff of tiles of 16, 390,625 of them': tiled(10_000, 10_000, 16, 390_625),
      'tiff of 2^28 tiles': tiled(100, 100, 16, 2 ** 28),
      'tiff of tiles of 65,536': tiled(100, 100, 65_536, 1),
      'tiff of tiles of 0': tiled(100, 100, 0, 1),
      'tiff of LZW that is none': tiff({ ...size, compression: 5 }, grey),
      'tiff of JPEG that is none': tiff({ ...size, compression: 7 }, grey),
      'tiff of PackBits': tiff({ ...size, compression: 32_773 }, grey),
      'tiff of an unknown compression': tiff({ ...size, compression: 60_000 }, grey),
      'tiff with an orientation of 65,535': tiff({ ...size, more: [[274, 3, 1, 65_535]] }, grey),
      'tiff of CMYK': tiff({ ...size, more: [[262, 3, 1, 5]] }, grey),
      'tiff of CIELab': tiff({ ...size, more: [[262, 3, 1, 8]] }, grey),
      'tiff with a profile that lies outside': tiff(
        { ...size, more: [[34_675, 4, 2 ** 28, 8]] },
        grey,
      ),
      'bigtiff whose directory is empty': Buffer.concat([big, Buffer.alloc(16)]),
      'bigtiff of 2^64-1 entries': Buffer.concat([big, Buffer.alloc(8, 0xff), Buffer.alloc(80)]),
    }),
    ...entriesOf(
      'tiff',
      {
        'tiff of 100,000 pages': pages(100_000),
        'tiff of zeros, 10,000 x 10,000, deflated': tiff(
          { width: 10_000, height: 10_000, compression: 8 },
          bomb,
        ),
        'tiff of zeros, one strip for 10,000 rows of 16 bits': tiff(
          { width: 10_000, height: 10_000, compression: 8, more: [[258, 3, 1, 16]] },
          bomb,
        ),
        'tiff with 12 MiB of nothing behind it': Buffer.concat([
          tiff(size, grey),
          Buffer.alloc(12 * MIB),
        ]),
      },
      'seldom',
    ),
  ];
}
