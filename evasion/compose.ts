/**
 * `node evasion/compose.ts <photos> <cut-outs> <folder>`: lays each cut-out with an alpha channel over one of the photos,
 * to make harmless pictures with something in them. The same input gives the same pictures.
 */
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { findImages } from '../src/cli/image-files.ts';
import { covering, jpeg } from './picture.ts';

const SHAPES = [
  [1_024, 768],
  [768, 1_024],
  [1_024, 683],
  [800, 800],
  [1_024, 576],
] as const;
const LEAST_EDGE = 120;

const [photoFolder = '', cutOutFolder = '', folder = ''] = process.argv.slice(2);
const photos = await findImages([photoFolder]);
const cutOuts = await findImages([cutOutFolder]);
await mkdir(folder, { recursive: true });
let state = 7;
let count = 0;
for (const file of cutOuts) {
  const { width, height } = await sharp(file).metadata();
  if (Math.max(width, height) < LEAST_EDGE) continue;
  await compose(file, SHAPES[count % SHAPES.length] ?? SHAPES[0]);
  count += 1;
}
console.log(`${count} pictures in ${folder}`);

async function compose(file: string, [width, height]: readonly [number, number]): Promise<void> {
  const photo = photos[Math.floor(draw() * photos.length)] ?? '';
  const edge = Math.min(Math.round(height * (0.35 + 0.5 * draw())), width);
  const { data, info } = await sharp(file)
    .resize(edge, edge, { fit: 'inside' })
    .png()
    .toBuffer({ resolveWithObject: true });
  const left = Math.round(draw() * (width - info.width));
  const top = Math.round(draw() * (height - info.height));
  const background = await covering(await sharp(photo).toBuffer(), width, height);
  const composed = await sharp(background)
    .composite([{ input: data, left, top }])
    .flatten()
    .png()
    .toBuffer();
  const name = `${count}-${basename(file, '.png')}.jpg`;
  await sharp(await jpeg(sharp(composed))).toFile(join(folder, name));
}

/** From 0 to 1. */
function draw(): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return state / 0x7fffffff;
}
