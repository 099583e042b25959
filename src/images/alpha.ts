import type { Region } from './image-decoder.ts';

/** Alpha below which a pixel is practically not seen. */
export const INVISIBLE = 64;
/** Alpha below which white and black behind a pixel make it differ by more than 16 levels of 255, which is seen. */
const TRANSLUCENT = 240;
/** A smaller share of the pixels holds nothing to recognise. */
export const LEAST_SHARE = 0.01;
/** Standard deviation of brightness, of 255, from which invisible pixels may show something. */
const LEAST_CONTRAST = 8;

export interface Flattened {
  background: Region['background'];
  /** RGB, interleaved. */
  data: Uint8Array;
}

/**
 * The ways in which people may see an image of RGBA pixels: over white; over black too where a part is
 * translucent, since what is light is lost on white; and without its alpha where what that makes invisible is
 * not all the same, since a conversion to JPEG may bring it to light.
 */
export function flatten(rgba: Uint8Array): Flattened[] {
  const { translucent, invisible, contrast, opaque } = survey(rgba);
  if (opaque) return [{ background: null, data: withoutAlpha(rgba) }];
  const ways: Flattened[] = [{ background: 'white', data: over(rgba, 255) }];
  if (translucent >= LEAST_SHARE) ways.push({ background: 'black', data: over(rgba, 0) });
  if (invisible >= LEAST_SHARE && contrast >= LEAST_CONTRAST) {
    ways.push({ background: 'none', data: withoutAlpha(rgba) });
  }
  return ways;
}

/** Shares of translucent and of invisible pixels, and the standard deviation of the latter's brightness. */
function survey(rgba: Uint8Array) {
  let translucent = 0;
  let invisible = 0;
  let opaque = true;
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = rgba[at + 3] as number;
    if (alpha === 255) continue;
    opaque = false;
    if (alpha >= TRANSLUCENT) continue;
    translucent += 1;
    if (alpha >= INVISIBLE) continue;
    invisible += 1;
    const light = ((rgba[at] as number) + (rgba[at + 1] as number) + (rgba[at + 2] as number)) / 3;
    sum += light;
    squares += light * light;
  }
  const pixels = rgba.length / 4;
  const mean = sum / Math.max(invisible, 1);
  const contrast = Math.sqrt(Math.max(0, squares / Math.max(invisible, 1) - mean * mean));
  return { translucent: translucent / pixels, invisible: invisible / pixels, contrast, opaque };
}

/** Over a grey background: Porter and Duff's `over` (1984), rounded to the nearest level as browsers and Pillow do. */
export function over(rgba: Uint8Array, background: number): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3] as number;
    const rest = background * (255 - alpha);
    for (let channel = 0; channel < 3; channel++) {
      rgb[to++] = Math.round(((rgba[from + channel] as number) * alpha + rest) / 255);
    }
  }
  return rgb;
}

export function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from] as number;
    rgb[to++] = rgba[from + 1] as number;
    rgb[to++] = rgba[from + 2] as number;
  }
  return rgb;
}
