import { filesOf, type TruthFile } from './entry.ts';
import { exifOf } from './exif.ts';
import { picture } from './jpeg.ts';
import { bytesOf, HEIGHT, samples, WIDTH } from './picture.ts';
import {
  BAD_PROFILES,
  CMYK_PROFILE,
  GREY_PROFILES,
  ODD_PROFILES,
  RGB_PROFILES,
} from './profiles.ts';
import sharp from 'sharp';

/** RFC 9649: a RIFF chunk. */
function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
const file = (...chunks: Buffer[]): Buffer =>
  chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...chunks]));

const PROFILE = 0x20;
const ALPHA = 0x10;
const EXIF = 0x08;

/** A bitstream in the extended format, section 2.7. */
function extended(simple: Buffer, flags: number, before: Buffer[], after: Buffer[] = []): Buffer {
  const data = Buffer.alloc(10);
  data.set([flags]);
  data.writeUIntLE(WIDTH - 1, 4, 3);
  data.writeUIntLE(HEIGHT - 1, 7, 3);
  return file(chunk('VP8X', data), ...before, bitstreamOf(simple), ...after);
}

/** What follows the header, or a VP8X chunk. */
function bitstreamOf(webp: Buffer): Buffer {
  return webp.subarray(webp.toString('latin1', 12, 16) === 'VP8X' ? 30 : 12);
}

export async function webpFiles(): Promise<TruthFile[]> {
  const lossless = await picture().webp({ lossless: true }).toBuffer();
  const lossy = await picture().webp({ quality: 95 }).toBuffer();
  const alpha = await picture(4).webp({ lossless: true }).toBuffer();
  const frames = Buffer.concat([0, 8, 16].map((turn) => bytesOf(samples(4, turn))));
  const raw = { width: WIDTH, height: HEIGHT * 3, channels: 4, pageHeight: HEIGHT } as const;
  const profiles = (all: Record<string, Buffer>, name: string, from = lossless, flags = 0) =>
    Object.fromEntries(
      Object.entries(all).map(([key, profile]) => [
        `${name}-${key}`,
        extended(from, PROFILE | flags, [chunk('ICCP', profile)]),
      ]),
    );
  const { swapped } = RGB_PROFILES;
  return [
    ...filesOf('webp-type', 'webp', {
      lossless,
      lossy,
      alpha,
      'alpha-lossy': await picture(4).webp({ quality: 95 }).toBuffer(),
      extended: extended(lossless, 0, []),
    }),
    ...filesOf('webp-profile', 'webp', {
      ...profiles({ ...RGB_PROFILES, ...ODD_PROFILES }, 'rgb'),
      ...profiles({ swapped, d2b0: ODD_PROFILES.d2b0 }, 'rgba', alpha, ALPHA),
      ...profiles({ swapped }, 'lossy', lossy),
    }),
    ...filesOf('webp-profile-bad', 'webp', {
      ...profiles(BAD_PROFILES, 'rgb'),
      ...profiles({ grey: GREY_PROFILES['grey-4'], cmyk: CMYK_PROFILE }, 'rgb'),
      'no-flag': extended(lossless, 0, [chunk('ICCP', swapped)]),
      'behind-picture': extended(lossless, PROFILE, [], [chunk('ICCP', swapped)]),
      twice: extended(lossless, PROFILE, [
        chunk('ICCP', swapped),
        chunk('ICCP', RGB_PROFILES.linear),
      ]),
    }),
    ...filesOf('webp-orientation', 'webp', {
      ...Object.fromEntries(
        [1, 2, 3, 4, 5, 6, 7, 8].map((value) => [
          String(value),
          extended(lossless, EXIF, [], [chunk('EXIF', exifOf(value))]),
        ]),
      ),
      'no-flag': extended(lossless, 0, [], [chunk('EXIF', exifOf(6))]),
      'exif-prefix': extended(
        lossless,
        EXIF,
        [],
        [chunk('EXIF', Buffer.concat([Buffer.from('Exif\0\0'), exifOf(6)]))],
      ),
      'before-picture': extended(lossless, EXIF, [chunk('EXIF', exifOf(6))]),
    }),
    ...filesOf('webp-damage', 'webp', {
      'cut-60': lossy.subarray(0, lossy.length * 0.6),
      'cut-90': lossy.subarray(0, lossy.length * 0.9),
      'lossless-cut-60': lossless.subarray(0, lossless.length * 0.6),
      'bytes-behind': Buffer.concat([lossy, Buffer.alloc(301, 0x41)]),
    }),
    ...filesOf(
      'webp-animation',
      'webp',
      {
        frames: await sharp(frames, { raw })
          .webp({ lossless: true, delay: [100, 40, 200] })
          .toBuffer(),
      },
      true,
    ),
  ];
}
