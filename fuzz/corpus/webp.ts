import { entriesOf, type Entry } from './entry.ts';
import type { Pictures } from './pictures.ts';

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

/** RFC 9649: a RIFF container. */
function webp(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  return chunk('RIFF', body);
}

/** Flags (0x20 profile, 0x10 alpha, 0x08 EXIF, 0x02 animation) and the canvas, RFC 9649, section 2.7. */
function canvas(flags: number, width: number, height: number): Buffer {
  const data = Buffer.alloc(10);
  data.set([flags]);
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  return chunk('VP8X', data);
}

/** The header of a lossless bitstream of 14 bits a side, and nothing in it. */
function lossless(width: number, height: number): Buffer {
  const data = Buffer.alloc(64);
  data.set([0x2f]);
  data.writeUInt32LE(((height - 1) * 2 ** 14 + (width - 1)) >>> 0, 1);
  return chunk('VP8L', data);
}

/** A frame of an animation: place and size in units of 2, its time, and its bitstream. */
function frame(width: number, height: number, bitstream: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUIntLE(width - 1, 6, 3);
  head.writeUIntLE(height - 1, 9, 3);
  return chunk('ANMF', Buffer.concat([head, bitstream]));
}

/** The numbers of 32 bits at `places` are as large as they get, and the file ends early. */
function boasting(whole: Buffer, ...places: number[]): Buffer {
  const copy = Buffer.from(whole.subarray(0, -9));
  for (const at of places) copy.writeUInt32LE(0xfffffff0, at);
  return copy;
}

export function webpEntries({ webp: photo, 'animated webp': animation }: Pictures): Entry[] {
  const bitstream = photo.subarray(12);
  const anim = chunk('ANIM', Buffer.alloc(6));
  const small = lossless(1, 1);
  const profile = Buffer.alloc(132, 0xff);
  return [
    ...entriesOf('webp', {
      'webp of 16,384 x 16,384, lossless, nothing in it': webp(lossless(16_384, 16_384)),
      'webp of 10,000 x 10,000, lossless, nothing in it': webp(lossless(10_000, 10_000)),
      'webp of 1 x 16,384': webp(lossless(1, 16_384)),
      'webp of 16,384 x 1': webp(lossless(16_384, 1)),
      'webp with a canvas of 2^24 x 2^24': webp(canvas(0, 2 ** 24, 2 ** 24), bitstream),
      'webp with a canvas of 2^24 x 1': webp(canvas(0, 2 ** 24, 1), bitstream),
      'webp with a canvas and no image': webp(canvas(0, 64, 48)),
      'webp with two images': webp(canvas(0, 64, 48), bitstream, bitstream),
      'webp of nothing': webp(),
      'webp with a broken profile': webp(canvas(0x20, 64, 48), chunk('ICCP', profile), bitstream),
      'webp with a profile of nothing': webp(
        canvas(0x20, 64, 48),
        chunk('ICCP', Buffer.alloc(0)),
        bitstream,
      ),
      'webp whose EXIF is none': webp(
        canvas(0x08, 64, 48),
        bitstream,
        chunk('EXIF', Buffer.alloc(99, 0x49)),
      ),
      'webp with 100,000 unknown chunks': webp(
        canvas(0, 64, 48),
        ...Array.from({ length: 100_000 }, () => chunk('JUNK', Buffer.alloc(0))),
        bitstream,
      ),
      'animated webp without frames': webp(canvas(0x02, 64, 48), anim),
      'animated webp with a frame that is larger than its canvas': webp(
        canvas(0x02, 2, 2),
        anim,
        frame(64, 48, bitstream),
      ),
      'animated webp that is cut in a frame': animation.subarray(0, animation.length - 40),
      'webp that says it has 4 GiB': boasting(photo, 4),
      'webp whose image says it has 4 GiB': boasting(photo, 4, 16),
      'animated webp that says it has 4 GiB': boasting(animation, 4),
      'animated webp of 10,001 frames': webp(
        canvas(0x02, 1, 1),
        anim,
        ...Array.from({ length: 10_001 }, () => frame(1, 1, small)),
      ),
    }),
    ...entriesOf(
      'webp',
      {
        'animated webp of 100,000 frames': webp(
          canvas(0x02, 1, 1),
          anim,
          ...Array.from({ length: 100_000 }, () => frame(1, 1, small)),
        ),
        'animated webp with a canvas of 10,000 x 10,000': webp(
          canvas(0x02, 10_000, 10_000),
          anim,
          frame(64, 48, bitstream),
          frame(64, 48, bitstream),
        ),
      },
      'seldom',
    ),
  ];
}
