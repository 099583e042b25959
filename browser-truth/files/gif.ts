import sharp from 'sharp';
import { filesOf, type TruthFile } from './entry.ts';
import { picture } from './jpeg.ts';
import { bytesOf, HEIGHT, samples, WIDTH } from './picture.ts';

const COLOURS = Buffer.from([200, 40, 40, 40, 200, 40, 40, 40, 200, 240, 240, 80]);
const TRAILER = Buffer.from([0x3b]);

/** GIF89a, sections 17 to 19. */
function screen(background = 0, colours = true): Buffer {
  const header = Buffer.from('GIF89a       ', 'latin1');
  header.writeUInt16LE(WIDTH, 6);
  header.writeUInt16LE(HEIGHT, 8);
  header.set([colours ? 0x81 : 0, background, 0], 10);
  return Buffer.concat([header, colours ? COLOURS : Buffer.alloc(0)]);
}

/** Section 23: how to dispose of the frame, its time in hundredths, its transparent colour. */
const control = (dispose = 0, transparent = -1): Buffer =>
  Buffer.from([
    0x21,
    0xf9,
    4,
    (dispose << 2) | Number(transparent >= 0),
    10,
    0,
    Math.max(0, transparent),
    0,
  ]);

/** Stripes of `indexes`, uncompressed: a clear code before every pixel keeps the codes at 3 bits. */
function frame(
  box: [left: number, top: number, width: number, height: number],
  indexes: number[],
): Buffer {
  const [, , width, height] = box;
  const descriptor = Buffer.from([0x2c, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  box.forEach((value, i) => descriptor.writeUInt16LE(value, 1 + i * 2));
  const codes: number[] = [];
  for (let i = 0; i < width * height; i += 1) codes.push(4, indexes[i % indexes.length] as number);
  codes.push(5);
  const bytes = Buffer.alloc(Math.ceil((codes.length * 3) / 8));
  codes.forEach((code, i) => {
    for (let bit = 0; bit < 3; bit += 1) {
      const at = i * 3 + bit;
      if ((code >> bit) & 1) bytes[at >> 3] = (bytes[at >> 3] as number) | (1 << (at & 7));
    }
  });
  const blocks = [Buffer.from([2])];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.subarray(at, at + 255);
    blocks.push(Buffer.from([block.length]), block);
  }
  return Buffer.concat([descriptor, ...blocks, Buffer.alloc(1)]);
}

const gif = (...parts: Buffer[]): Buffer => Buffer.concat([screen(), ...parts, TRAILER]);
const all = [0, 0, WIDTH, HEIGHT] as [number, number, number, number];

export async function gifFiles(): Promise<TruthFile[]> {
  const photo = await picture().gif().toBuffer();
  const frames = Buffer.concat([0, 8, 16].map((turn) => bytesOf(samples(4, turn))));
  const raw = { width: WIDTH, height: HEIGHT * 3, channels: 4, pageHeight: HEIGHT } as const;
  const [corner, middle, right] = [
    frame([0, 0, 20, 16], [1, 2]),
    frame([10, 8, 20, 16], [2, 3]),
    frame([30, 8, 18, 24], [0, 1, 3]),
  ] as const;
  const whole = frame(all, [0, 1, 2, 3]);
  const stills = {
    photo,
    transparent: gif(control(0, 1), whole),
    'uncovered-right': gif(corner),
    'uncovered-all-but-one': gif(frame([7, 5, 1, 1], [1])),
    'no-trailer': Buffer.concat([screen(), whole]),
    'uncovered-no-trailer': Buffer.concat([screen(), corner]),
    'background-3': Buffer.concat([screen(3), middle, TRAILER]),
    'transparent-uncovered': gif(control(0, 2), corner),
    'frame-beyond-screen': gif(frame([30, 20, 40, 30], [1, 2])),
    'frame-larger': gif(frame([0, 0, 60, 40], [1, 2])),
    'no-colours': Buffer.concat([screen(0, false), whole, TRAILER]),
    'bytes-behind': Buffer.concat([gif(whole), Buffer.alloc(99, 0x41)]),
  };
  const animations = {
    frames: await sharp(frames, { raw })
      .gif({ delay: [100, 40, 200] })
      .toBuffer(),
    'uncovered-keep': gif(control(1), corner, control(1), middle, control(1), right),
    'uncovered-background': gif(control(2), corner, control(2), middle, control(2), right),
    'uncovered-previous': gif(control(1), corner, control(3), middle, control(3), right),
    'covered-background': gif(control(2), whole, control(2), middle, control(0), right),
    'covered-previous': gif(control(1), whole, control(3), middle, control(3), right),
    'transparent-later': gif(control(0), corner, control(0, 3), middle, control(0), right),
    'control-twice': gif(control(1), corner, control(2), control(1), middle, right),
  };
  return [
    ...filesOf('gif', 'gif', stills),
    ...filesOf('gif-damage', 'gif', {
      'cut-60': photo.subarray(0, photo.length * 0.6),
      'cut-90': photo.subarray(0, photo.length * 0.9),
    }),
    ...filesOf('gif-animation', 'gif', animations, true),
  ];
}
