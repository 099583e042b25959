import { INVISIBLE, LEAST_SHARE, withoutAlpha } from './alpha.ts';
import { cmykToRgb } from './cmyk.ts';
import type { Box } from './image-decoder.ts';
import { decodeJpeg } from './jpeg-codec.ts';
import { rawImage, upright, type OpenImage } from './open-image.ts';

/** The colours under the alpha of a larger image are not looked at: they would take 7 bytes a pixel. */
const MOST_HIDDEN_PIXELS = 50_000_000;

/** Decoded pixels in sRGB, 8 bits, row by row, interleaved: `[height, width, channels]`. */
export interface Raster {
  data: Uint8Array;
  width: number;
  height: number;
  /** 4: with alpha. */
  channels: 3 | 4;
}

/**
 * An ordinary JPEG's `part`, decoded at once, and valid until the next call; null for any other image. The pixels are
 * those of `decodeRaster`, which also has to say what is wrong with an image that is refused here.
 */
export function decodePlainly({ bytes, plainJpeg }: OpenImage, part: Box): Raster | null {
  const data = plainJpeg && decodeJpeg(bytes, plainJpeg, part);
  return data && { data, width: part.width, height: part.height, channels: 3 };
}

/** Decodes `part` of the frame, or of the frame brought to the size of `reducedTo` first. */
export async function decodeRaster(
  image: OpenImage,
  part: Box,
  reducedTo: { width: number; height: number } | null,
): Promise<Raster> {
  const source = (reducedTo === null ? upright(image) : halved(image, reducedTo)).extract(part);
  const { width, height } = part;
  if (image.cmyk) {
    const { data } = await bytesOf(source.pipelineColourspace('cmyk').toColourspace('cmyk'));
    return { data: cmykToRgb(data), width, height, channels: 3 };
  }
  const { data, info } = await bytesOf(source.toColourspace('srgb'));
  const raster: Raster = { data, width, height, channels: info.channels === 4 ? 4 : 3 };
  return reducedTo !== null && hasInvisible(raster)
    ? await withHiddenColours(raster, image, part, reducedTo)
    : raster;
}

function hasInvisible({ data, width, height, channels }: Raster): boolean {
  if (channels === 3) return false;
  let invisible = 0;
  for (let at = 3; at < data.length; at += 4) invisible += Number((data[at] as number) < INVISIBLE);
  return invisible >= LEAST_SHARE * width * height;
}

/**
 * The raster of a reduced frame with the colours under its invisible pixels. Where pixels are averaged, each counts by
 * its alpha, so that nothing is left of colours without any: they are averaged by themselves.
 */
async function withHiddenColours(
  raster: Raster,
  image: OpenImage,
  part: Box,
  reducedTo: { width: number; height: number },
): Promise<Raster> {
  if (image.width * image.height > MOST_HIDDEN_PIXELS) return raster;
  const { data: rgba, info } = await bytesOf(upright(image).toColourspace('srgb'));
  const opaque = rawImage(withoutAlpha(rgba), { width: info.width, height: info.height });
  const { width, height } = reducedTo;
  const reduced = opaque.resize(width, height, { fit: 'fill', kernel: 'cubic' }).extract(part);
  const { data: colours } = await bytesOf(reduced);
  const data = Buffer.from(raster.data);
  for (let at = 0, from = 0; at < data.length; at += 4, from += 3) {
    if ((data[at + 3] as number) < INVISIBLE) data.set(colours.subarray(from, from + 3), at);
  }
  return { ...raster, data };
}

function bytesOf(image: ReturnType<typeof upright>) {
  return image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
}

/**
 * A JPEG can be decoded at a half, a quarter or an eighth of its size, at once and faithfully, but the last
 * samples then stand for fewer pixels where the size does not divide, and the whole image shifts. An extract
 * of everything keeps the decoder from it.
 */
function halved(image: OpenImage, { width, height }: { width: number; height: number }) {
  const all = { left: 0, top: 0, width: image.width, height: image.height };
  const divides = image.width % width === 0 && image.height % height === 0;
  const source = divides ? upright(image) : upright(image).extract(all);
  return source.resize(width, height, { fit: 'fill', kernel: 'cubic' });
}

/** The smallest box that holds all of them. */
export function unionOf(boxes: readonly Box[]): Box {
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const right = Math.max(...boxes.map((box) => box.left + box.width));
  const bottom = Math.max(...boxes.map((box) => box.top + box.height));
  return { left, top, width: right - left, height: bottom - top };
}

/** The part of a raster under `box`, whose top left corner is counted from the raster's. */
export function cut(raster: Raster, box: Box): Raster {
  const { data, channels } = raster;
  if (box.width === raster.width && box.height === raster.height) return raster;
  const rowSize = box.width * channels;
  const part = new Uint8Array(rowSize * box.height);
  for (let row = 0; row < box.height; row++) {
    const start = ((box.top + row) * raster.width + box.left) * channels;
    part.set(data.subarray(start, start + rowSize), row * rowSize);
  }
  return { data: part, width: box.width, height: box.height, channels };
}
