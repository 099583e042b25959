import { entriesOf, type Entry } from './entry.ts';

const LZW_ONE_PIXEL = Buffer.from([2, 2, 0x44, 0x01, 0]);
const TRAILER = Buffer.from([0x3b]);
const COLOURS = Buffer.from([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]);

/** Header, logical screen and global colours; GIF89a, sections 17 to 19. */
function screen(width: number, height: number): Buffer {
  const header = Buffer.from('GIF89a       ', 'latin1');
  header.writeUInt16LE(width, 6);
  header.writeUInt16LE(height, 8);
  header.set([0x81, 0, 0], 10);
  return Buffer.concat([header, COLOURS]);
}

/** An image descriptor and what follows it, by default the data of one pixel. */
function frame(width = 1, height = 1, { left = 0, data = LZW_ONE_PIXEL } = {}): Buffer {
  const descriptor = Buffer.from([0x2c, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  descriptor.writeUInt16LE(left, 1);
  descriptor.writeUInt16LE(width, 5);
  descriptor.writeUInt16LE(height, 7);
  return Buffer.concat([descriptor, data]);
}

const gif = (width: number, height: number, ...blocks: Buffer[]): Buffer =>
  Buffer.concat([screen(width, height), ...blocks, TRAILER]);

const comment = (length: number): Buffer => {
  const blocks = Array.from({ length }, () =>
    Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]),
  );
  return Buffer.concat([Buffer.from([0x21, 0xfe]), ...blocks, Buffer.alloc(1)]);
};

export function gifEntries(): Entry[] {
  const million = Buffer.alloc(1_000_000 * frame().length, frame());
  const clears = Buffer.concat([
    Buffer.from([8]),
    ...Array.from({ length: 2_000 }, () => Buffer.concat([Buffer.from([255]), Buffer.alloc(255)])),
    Buffer.alloc(1),
  ]);
  return [
    ...entriesOf('gif', {
      'gif of one pixel': gif(1, 1, frame()),
      'gif of two frames': gif(2, 1, frame(), frame(1, 1, { left: 1 })),
      'gif with a screen of 65,535 x 65,535': gif(65_535, 65_535, frame()),
      'gif with a frame of 65,535 x 65,535': gif(1, 1, frame(65_535, 65_535)),
      'gif with a screen of 0 x 0': gif(0, 0, frame()),
      'gif with a frame of 0 x 0': gif(10, 10, frame(0, 0)),
      'gif of 1 x 65,535': gif(1, 65_535, frame(1, 65_535)),
      'gif of 65,535 x 1': gif(65_535, 1, frame(65_535, 1)),
      'gif with a frame outside its screen': gif(10, 10, frame(10, 10, { left: 60_000 })),
      'gif without frames': gif(10, 10),
      'gif with a code size of 12': gif(9, 9, frame(9, 9, { data: Buffer.from([12, 1, 9, 0]) })),
      'gif with a code size of 255': gif(9, 9, frame(9, 9, { data: Buffer.from([255, 1, 9, 0]) })),
      'gif with 500 kB of one LZW code': gif(9, 9, frame(9, 9, { data: clears })),
      'gif with a comment of 5 MB': gif(1, 1, comment(20_000), frame()),
      'gif of 10,001 frames': gif(1, 1, ...Array.from({ length: 10_001 }, () => frame())),
    }),
    ...entriesOf(
      'gif',
      {
        'gif of a million frames': gif(1, 1, million),
        'gif with a screen of 10,000 x 10,000': gif(10_000, 10_000, frame()),
        'gif of 1,000 frames on a screen of 5,000 x 5,000': gif(
          5_000,
          5_000,
          ...Array.from({ length: 1_000 }, () => frame()),
        ),
      },
      'seldom',
    ),
  ];
}
