/** What Moderato judges of files, as looks. */
import { AppError } from '../src/errors.ts';
import { DEFAULT_VIEWS } from '../src/images/image-decoder.ts';
import { despiteDamage } from '../src/images/damage.ts';
import { allowLoaders, openImage, reading, type OpenImage } from '../src/images/open-image.ts';
import { decodePlainly, decodeRaster } from '../src/images/raster.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../src/images/sniff-format.ts';
import { lookOf, type Look } from './grid.ts';

/** What browsers show. */
const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif'];
const SETTINGS = {
  formats: FORMATS,
  maxPixels: 40_000_000,
  maxEdge: 65_535,
  maxFrames: 1_000,
  views: DEFAULT_VIEWS,
} as const;

export interface Judged {
  /** The code of the error; null for an image that is judged. */
  code: string | null;
  /** The first frame, or all of an animation. */
  frames: Look[];
}

/** Decodes in this process. Throws what is no fault of the image. */
export async function judged(bytes: Buffer, animated: boolean): Promise<Judged> {
  // For the whole process, which other tests may share; SETTINGS say what is decoded.
  allowLoaders(IMAGE_FORMATS);
  try {
    const frames = await despiteDamage(SETTINGS, async (settings) => {
      const first = await openImage(bytes, settings);
      const looks = [await look(first)];
      for (let frame = 1; animated && frame < first.frames; frame += 1) {
        looks.push(await look(await openImage(bytes, settings, frame)));
      }
      return looks;
    });
    return { code: null, frames };
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, frames: [] };
    throw error;
  }
}

async function look(image: OpenImage): Promise<Look> {
  const { width, height, format } = image;
  const whole = { left: 0, top: 0, width, height };
  const raster = await reading(
    format,
    async () => decodePlainly(image, whole) ?? (await decodeRaster(image, whole, null)),
  );
  return lookOf(raster.channels === 4 ? raster.data : withAlpha(raster.data), width, height);
}

function withAlpha(rgb: Uint8Array): Uint8Array {
  const rgba = new Uint8Array((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba.set(rgb.subarray(from, from + 3), to);
  }
  return rgba;
}
