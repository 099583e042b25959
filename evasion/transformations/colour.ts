/** The file's own words on colour, which browsers follow and a careless decoder does not, or the other way round. */
import sharp from 'sharp';
import { chunk } from '../../fuzz/corpus/png.ts';
import { sized, type Row, type Subject } from '../picture.ts';

export const COLOUR: readonly Row[] = [
  row('picture in a PNG with gAMA', '0.05', (subject) => withGamma(subject, 0.05)),
];

function row(name: string, strength: string, make: Row['make']): Row {
  return { group: 'colour', name, strength, make };
}

/** All but black to who ignores the chunk; browsers raise every value to 1 ÷ (gamma × 2.2). */
async function withGamma({ bytes }: Subject, gamma: number): Promise<Buffer> {
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
  const value = Buffer.alloc(4);
  value.writeUInt32BE(Math.round(gamma * 100_000));
  const behindHeader = 8 + 25;
  return Buffer.concat([
    png.subarray(0, behindHeader),
    chunk('gAMA', value),
    png.subarray(behindHeader),
  ]);
}
