import { crc32, deflateSync } from 'node:zlib';
import { entriesOf, type Entry } from './entry.ts';
import { zlibOfZeros } from './zeros.ts';

export const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** PNG (third edition), section 5.3. */
export function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const whole = Buffer.alloc(data.length + 12);
  whole.writeUInt32BE(data.length);
  whole.write(type, 4, 'latin1');
  data.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, -4)), data.length + 8);
  return whole;
}

interface Header {
  width: number;
  height: number;
  depth?: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha */
  colour?: number;
  interlaced?: boolean;
}

const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

function ihdr({ width, height, depth = 8, colour = 2, interlaced = false }: Header): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, 0, 0, Number(interlaced)], 8);
  return chunk('IHDR', data);
}

const png = (header: Header, ...chunks: Buffer[]): Buffer =>
  Buffer.concat([PNG_SIGNATURE, ihdr(header), ...chunks, chunk('IEND')]);

const idat = (compressed: Buffer): Buffer => chunk('IDAT', compressed);

/** As many rows of zeros as the header promises. */
function black(header: Header, ...before: Buffer[]): Buffer {
  const { width, height, depth = 8, colour = 2 } = header;
  const row = 1 + Math.ceil((width * depth * (SAMPLES[colour] ?? 1)) / 8);
  return png(header, ...before, idat(zlibOfZeros(row * height)));
}

/** Without the last bytes of its data and without an end, which is inspected as far as it goes. */
const damaged = (whole: Buffer): Buffer => whole.subarray(0, -24);

/** Keyword, terminator and compression method before the stream, as in zTXt and iCCP. */
const named = (keyword: string, compressed: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), compressed]);

function profile(edit: (icc: Buffer) => void): Buffer {
  const icc = Buffer.alloc(132);
  icc.writeUInt32BE(icc.length);
  icc.write('mntrRGB XYZ ', 12, 'latin1');
  icc.write('acsp', 36, 'latin1');
  edit(icc);
  return named('profile', deflateSync(icc));
}

const SMALL = { width: 40, height: 30 };
const little = idat(zlibOfZeros(100));

/** An animated PNG of two frames. */
function animated(frames: number): Buffer {
  const acTL = Buffer.alloc(8);
  acTL.writeUInt32BE(frames);
  const fcTL = Buffer.alloc(26);
  fcTL.writeUInt32BE(SMALL.width, 4);
  fcTL.writeUInt32BE(SMALL.height, 8);
  const pixels = zlibOfZeros((1 + SMALL.width * 3) * SMALL.height);
  const fdAT = Buffer.concat([Buffer.from([0, 0, 0, 2]), pixels]);
  return png(
    SMALL,
    chunk('acTL', acTL),
    chunk('fcTL', fcTL),
    idat(pixels),
    chunk('fcTL', fcTL),
    chunk('fdAT', fdAT),
  );
}

export function pngEntries(): Entry[] {
  const iTXt = Buffer.concat([Buffer.from('Comment\0\x01\0\0\0', 'latin1'), zlibOfZeros(GIB)]);
  return [
    ...entriesOf('png', {
      'png of 65,535 x 65,535 with little data': png({ width: 65_535, height: 65_535 }, little),
      'png of 2^31-1 x 2^31-1': png({ width: 0x7fffffff, height: 0x7fffffff }, little),
      'png of 10,000 x 10,000 with little data': png({ width: 10_000, height: 10_000 }, little),
      'png of 0 x 0': png({ width: 0, height: 0 }, little),
      'png of 1 x 65,535': black({ width: 1, height: 65_535 }),
      'png of 65,535 x 1': black({ width: 65_535, height: 1 }),
      'png of 65,536 x 1': black({ width: 65_536, height: 1 }),
      'png of 16 bits': black({ ...SMALL, depth: 16, colour: 6 }),
      'png of 16 bits, grey': black({ ...SMALL, depth: 16, colour: 0 }),
      'png of 1 bit': black({ ...SMALL, depth: 1, colour: 0 }),
      'png with a palette of none': black({ ...SMALL, colour: 3 }),
      'png with a palette too short': black(
        { ...SMALL, colour: 3 },
        chunk('PLTE', Buffer.alloc(2)),
      ),
      'png interlaced, data for none of it': png({ ...SMALL, interlaced: true }, little),
      'png of an unknown colour type': black({ ...SMALL, colour: 5 }),
      'png of 3 bits': black({ ...SMALL, depth: 3 }),
      'png without data': png(SMALL),
      'png with data that is no zlib': png(SMALL, idat(Buffer.alloc(500, 0xa5))),
      'png with 10,000 empty IDAT': png(
        SMALL,
        ...Array.from({ length: 10_000 }, () => idat(Buffer.alloc(0))),
      ),
      'png with 100,000 unknown chunks': png(
        SMALL,
        ...Array.from({ length: 100_000 }, () => chunk('juNk')),
        little,
      ),
      apng: animated(2),
      'apng that says 2^32-1 frames': animated(0xffffffff),
      'png with a profile of nothing': black(
        SMALL,
        chunk(
          'iCCP',
          profile(() => undefined),
        ),
      ),
      'png with a profile of 2^32-1 tags': black(
        SMALL,
        chunk(
          'iCCP',
          profile((icc) => icc.writeUInt32BE(0xffffffff, 128)),
        ),
      ),
      'png with a profile that says 2^32-1 bytes': black(
        SMALL,
        chunk(
          'iCCP',
          profile((icc) => icc.writeUInt32BE(0xffffffff, 0)),
        ),
      ),
      'png with a profile that is no zlib': black(
        SMALL,
        chunk('iCCP', named('profile', Buffer.alloc(99, 0x55))),
      ),
    }),
    ...entriesOf(
      'png',
      {
        'png of zeros, 65,535 x 65,535': black({
          width: 65_535,
          height: 65_535,
          depth: 1,
          colour: 0,
        }),
        'png of zeros, 10,000 x 10,000': black({ width: 10_000, height: 10_000 }),
        'png of zeros, 10,000 x 10,000, 16 bits with alpha': black({
          width: 10_000,
          height: 10_000,
          depth: 16,
          colour: 6,
        }),
        'png of zeros, 10,000 x 10,000, interlaced': black({
          width: 10_000,
          height: 10_000,
          interlaced: true,
        }),
        'png of zeros, 10,000 x 10,000, damaged': damaged(black({ width: 10_000, height: 10_000 })),
        'png of zeros, 10,000 x 10,000, interlaced, damaged': damaged(
          black({ width: 10_000, height: 10_000, interlaced: true }),
        ),
        'png with a text of 1 GiB, damaged': damaged(
          black(SMALL, chunk('zTXt', named('Comment', zlibOfZeros(GIB)))),
        ),
        'png with a text of 1 GiB': black(SMALL, chunk('zTXt', named('Comment', zlibOfZeros(GIB)))),
        'png with an international text of 1 GiB': black(SMALL, chunk('iTXt', iTXt)),
        'png with 200 texts of 7 MiB': black(
          SMALL,
          ...Array.from({ length: 200 }, () =>
            chunk('zTXt', named('Comment', zlibOfZeros(7 * MIB))),
          ),
        ),
        'png with a profile of 64 MiB': black(
          SMALL,
          chunk('iCCP', named('profile', zlibOfZeros(64 * MIB))),
        ),
      },
      'seldom',
    ),
  ];
}
