/** The file's own words on colour, which browsers follow and a careless decoder does not, or the other way round. */
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { sized, type Picture, type Row, type Subject } from '../picture.ts';

export const COLOUR: readonly Row[] = [
  row('picture in a PNG with gAMA', '0.05', (subject) => withGamma(subject, 0.05)),
];

function row(name: string, strength: string, make: Row['make']): Row {
  return { group: 'colour', name, strength, make };
}

/** All but black to who ignores the chunk; browsers raise every value to 1 ÷ (gamma × 2.2). */
async function withGamma({ bytes }: Subject, gamma: number): Promise<Picture> {
  const photo = await sized(bytes, 640);
  const { data, info } = await sharp(photo.data)
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const wide = Uint16Array.from(data, (value) =>
    Math.round(65_535 * (value / 255) ** (gamma * 2.2)),
  );
  const png = await sharp(wide, {
    raw: { width: info.width, height: info.height, channels: 3 },
  })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  const chunk = Buffer.alloc(16);
  chunk.writeUInt32BE(4, 0);
  chunk.write('gAMA', 4, 'latin1');
  chunk.writeUInt32BE(Math.round(gamma * 100_000), 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 12)), 12);
  const behindHeader = 8 + 25;
  return {
    bytes: Buffer.concat([png.subarray(0, behindHeader), chunk, png.subarray(behindHeader)]),
    object: null,
  };
}
