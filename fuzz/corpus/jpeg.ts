import { partsOf } from '../parts.ts';
import { entriesOf, type Entry } from './entry.ts';
import { segment } from './jpeg-segment.ts';
import type { Pictures } from './pictures.ts';
import { scanBomb } from './scans.ts';

const START = Buffer.from([0xff, 0xd8]);
const END = Buffer.from([0xff, 0xd9]);

/** The picture with segments put in front of all others. */
const led = (jpeg: Buffer, ...segments: Buffer[]): Buffer =>
  Buffer.concat([START, ...segments, jpeg.subarray(2)]);

/** The picture with another size in its header. */
function resized(jpeg: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(jpeg);
  for (const { start, content } of partsOf(jpeg)) {
    const marker = copy[start + 1] ?? 0;
    if (marker < 0xc0 || marker > 0xc2) continue;
    copy.writeUInt16BE(height, content + 1);
    copy.writeUInt16BE(width, content + 3);
  }
  return copy;
}

/** The last scan of a progressive picture, again and again. */
function scans(progressive: Buffer, times: number): Buffer {
  const last = partsOf(progressive).findLast(({ start }) => progressive[start + 1] === 0xda);
  if (last === undefined) throw new Error('the progressive picture has no scan');
  const scan = progressive.subarray(last.start, last.end);
  const all = Array.from({ length: times }, () => scan);
  return Buffer.concat([progressive.subarray(0, last.end), ...all, END]);
}

/** EXIF of directories that are written as they are; TIFF 6.0, section 2. */
const exif = (...words: number[]): Buffer => {
  const body = Buffer.alloc(words.length * 2);
  words.forEach((word, index) => body.writeUInt16LE(word & 0xffff, index * 2));
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0II*\0\x08\0\0\0', 'latin1'), body]));
};
const orientation = (value: number): number[] => [0x0112, 3, 1, 0, value, 0];

const icc = (index: number, count: number, data: Buffer): Buffer =>
  segment(
    0xe2,
    Buffer.concat([Buffer.from('ICC_PROFILE\0', 'latin1'), Buffer.from([index, count]), data]),
  );

export function jpegEntries({ jpeg, progressive }: Pictures): Entry[] {
  const kilobyte = Buffer.alloc(1_000, 0x42);
  const largest = Buffer.alloc(65_000, 0x42);
  const profile = Buffer.alloc(200);
  profile.writeUInt32BE(0xffffffff);
  profile.write('acsp', 36, 'latin1');
  profile.writeUInt32BE(0xffffffff, 128);
  return [
    ...entriesOf('jpeg', {
      'jpeg of 65,535 x 65,535 with little data': resized(jpeg, 65_535, 65_535),
      'jpeg of 10,000 x 10,000 with little data': resized(jpeg, 10_000, 10_000),
      'progressive jpeg of 65,535 x 65,535': resized(progressive, 65_535, 65_535),
      'jpeg of 0 x 0': resized(jpeg, 0, 0),
      'jpeg of 64 x 0, the height to come': resized(jpeg, 64, 0),
      'jpeg of 1 x 65,535': resized(jpeg, 1, 65_535),
      'jpeg of 65,535 x 1': resized(jpeg, 65_535, 1),
      'jpeg of nothing': Buffer.concat([START, Buffer.from([0xff]), END]),
      'jpeg without tables': Buffer.concat([START, segment(0xda, Buffer.alloc(10)), END]),
      'jpeg with tables of 0xff': led(jpeg, segment(0xc4, Buffer.alloc(300, 0xff))),
      'jpeg with quantizers of 0': led(jpeg, segment(0xdb, Buffer.alloc(65))),
      'jpeg that restarts after each block': led(jpeg, segment(0xdd, Buffer.from([0, 1]))),
      'jpeg with a segment of no length': led(jpeg, Buffer.from([0xff, 0xe5, 0, 0])),
      'jpeg with 5,000 comments': led(
        jpeg,
        ...Array.from({ length: 5_000 }, () => segment(0xfe, Buffer.alloc(1))),
      ),
      'jpeg with 100,000 fill bytes': Buffer.concat([
        START,
        Buffer.alloc(100_000, 0xff),
        jpeg.subarray(2),
      ]),
      'jpeg with two headers': led(jpeg, jpeg.subarray(2, -2)),
      'jpeg whose orientation is 6': led(jpeg, exif(1, ...orientation(6), 0, 0)),
      'jpeg whose orientation is 65,535': led(jpeg, exif(1, ...orientation(65_535), 0, 0)),
      'jpeg with two orientations': led(jpeg, exif(2, ...orientation(3), ...orientation(6), 0, 0)),
      'jpeg whose EXIF follows itself': led(jpeg, exif(1, ...orientation(6), 8, 0)),
      'jpeg whose EXIF points to itself': led(jpeg, exif(1, 0x8769, 4, 1, 0, 8, 0, 8, 0)),
      'jpeg whose EXIF has 65,535 entries': led(jpeg, exif(65_535, ...orientation(6))),
      'jpeg with a value of 4 GiB in its EXIF': led(
        jpeg,
        exif(1, 0x010f, 2, 0xffff, 0xffff, 8, 0, 0, 0),
      ),
      'jpeg with 8 orientations in 8 EXIF': led(
        jpeg,
        ...Array.from({ length: 8 }, (_, index) => exif(1, ...orientation(index + 1), 0, 0)),
      ),
      'jpeg with a broken profile': led(jpeg, icc(1, 1, profile)),
      'jpeg with a profile whose second half is missing': led(jpeg, icc(1, 2, kilobyte)),
      'jpeg with a profile of part 0 of 0': led(jpeg, icc(0, 0, kilobyte)),
      'jpeg with a profile of 16 MB': led(
        jpeg,
        ...Array.from({ length: 255 }, (_, index) => icc(index + 1, 255, largest)),
      ),
      'progressive jpeg of 90 scans too many': scans(progressive, 90),
      'progressive jpeg of 2,646 scans': scanBomb(64, 48),
    }),
    ...entriesOf(
      'jpeg',
      {
        'progressive jpeg of 5,000 scans too many': scans(progressive, 5_000),
        'progressive jpeg of 2,646 scans, 8,000 x 8,000': scanBomb(8_000, 8_000),
        'progressive jpeg of 10,000 x 10,000': resized(progressive, 10_000, 10_000),
        'progressive jpeg of 8,000 x 8,000, 400 scans': scans(
          resized(progressive, 8_000, 8_000),
          400,
        ),
      },
      'seldom',
    ),
  ];
}
