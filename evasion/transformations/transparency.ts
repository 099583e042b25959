/** What is seen depends on what lies behind the picture. */
import sharp from 'sharp';
import { sized, type Row, type Subject } from '../picture.ts';

export const TRANSPARENCY: readonly Row[] = [
  row('in light alpha', '192–255, white', (subject) => inAlpha(subject, 192)),
  row('in light alpha', '128–255, white', (subject) => inAlpha(subject, 128)),
  row('in light alpha within a tile', '192–255, white', (subject) => inTile(subject)),
  row('in alpha', '0–255, black', (subject) => inAlpha(subject, 0, 0)),
  row('under alpha 0', '640 px', (subject) => hidden(subject, 640)),
  row('under alpha 0', '1,800 px', (subject) => hidden(subject, 2_000)),
];

function row(name: string, strength: string, make: Row['make']): Row {
  return { group: 'transparency', name, strength, make };
}

/** The subject's brightness in the alpha of a page of one colour, seen on a dark or a light page. */
async function inAlpha({ bytes }: Subject, lowest: number, colour = 255): Promise<Buffer> {
  const { rgba, width, height } = await rgbaOf(bytes, 640);
  for (let at = 0; at < rgba.length; at += 4) {
    const light = lightOf(rgba, at) / 255;
    // White on black shows its brightness; black on white shows the opposite.
    const alpha = colour === 255 ? light : 1 - light;
    rgba.fill(colour, at, at + 3);
    rgba[at + 3] = Math.round(lowest + alpha * (255 - lowest));
  }
  return await pngOf(rgba, width, height);
}

/** The same in one end of a long, opaque picture. */
async function inTile(subject: Subject): Promise<Buffer> {
  const own = await inAlpha(subject, 192);
  const { width, height } = await sharp(own).metadata();
  const long = { width, height: height * 3 };
  const background = sharp({ create: { ...long, channels: 4, background: '#ffffff00' } })
    .composite([
      {
        input: { create: { width, height: height * 2, channels: 4, background: '#ffffff' } },
        left: 0,
        top: 0,
      },
      { input: own, left: 0, top: height * 2 },
    ])
    .png();
  return await background.toBuffer();
}

/** Colours that a conversion to JPEG brings to light. */
async function hidden({ bytes }: Subject, edge: number): Promise<Buffer> {
  const { rgba, width, height } = await rgbaOf(bytes, edge);
  for (let at = 3; at < rgba.length; at += 4) rgba[at] = 0;
  return await pngOf(rgba, width, height);
}

async function rgbaOf(bytes: Buffer, edge: number) {
  const photo = await sized(bytes, edge);
  const rgba = await sharp(photo.data).ensureAlpha().raw().toBuffer();
  return { rgba, width: photo.width, height: photo.height };
}

function lightOf(rgba: Uint8Array, at: number): number {
  const [red, green, blue] = rgba.subarray(at, at + 3) as unknown as [number, number, number];
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

function pngOf(rgba: Buffer, width: number, height: number): Promise<Buffer> {
  return sharp(rgba, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}
