import { deflateSync } from 'node:zlib';

import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';

import { completePng } from '../../src/images/complete-png.ts';
import { parityImage } from '../support/tiny-clip.ts';

jest.setTimeout(60_000);

// Not a multiple of 8, so that some blocks are cut at the edges.
const picture = (name = 'rgba.png'): Sharp => sharp(parityImage(name)).resize(61, 43);
const pixelsOf = (png: Buffer): Promise<Buffer> => sharp(png).raw({ depth: 'ushort' }).toBuffer();

describe.each([false, true])('a PNG that is interlaced: %s', (progressive) => {
  it.each<[string, Sharp, object]>([
    ['in RGB', picture().removeAlpha(), {}],
    ['in RGB with alpha', picture(), {}],
    ['in RGB with alpha and 16 bits', picture().toColourspace('rgb16'), {}],
    ['in grey', picture('grey.png'), {}],
    ['in grey with 16 bits', picture('grey16.png').toColourspace('grey16'), {}],
    ['with a palette', picture(), { palette: true }],
    ['with a palette of 4 bits', picture(), { palette: true, colours: 16 }],
    ['of one pixel', picture().resize(1, 1), {}],
    ['of one column', picture().resize(1, 20), {}],
    ['of one row', picture().resize(20, 1), {}],
  ])('has the same pixels when it was completed without need: %s', async (_, made, options) => {
    const png = await made.png({ ...options, progressive, adaptiveFiltering: true }).toBuffer();
    const completed = await completePng(png, 1e6);
    expect((await pixelsOf(completed)).equals(await pixelsOf(png))).toBe(true);
  });
});

it('is not completed beyond the pixels that are decoded, or without a header', async () => {
  const png = await picture().png().toBuffer();
  expect(await completePng(png, 61 * 43 - 1)).toBe(png);
  for (const length of [0, 8, 20, 33]) {
    const cut = png.subarray(0, length);
    expect(await completePng(cut, 1e6)).toBe(cut);
  }
});

it('is given back or completed whatever its header says', async () => {
  const png = await picture().png({ progressive: true }).toBuffer();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(12),
      fc.nat(255),
      fc.nat(32),
      fc.nat(7),
      async (at, value, depth, type) => {
        const broken = Buffer.from(png);
        broken.writeUInt8(depth, 24);
        broken.writeUInt8(type, 25);
        if (at < 8 || at > 9) broken.writeUInt8(value, 16 + at);
        await expect(completePng(broken, 1e6)).resolves.toBeInstanceOf(Uint8Array);
      },
    ),
    { numRuns: 300 },
  );
});

it('takes no more from its data than the picture needs', async () => {
  const png = await picture().png().toBuffer();
  const at = png.indexOf('IDAT') - 4;
  const bomb = deflateSync(Buffer.alloc(2 ** 26));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bomb.length);
  const parts = [png.subarray(0, at), length, Buffer.from('IDAT'), bomb, Buffer.alloc(4)];
  const { data, info } = await sharp(await completePng(Buffer.concat(parts), 1e6))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([61, 43]);
  expect(data.every((value) => value === 0)).toBe(true);
});
