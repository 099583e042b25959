/** A damaged image is judged by what browsers show of it, since refusing it is a way round moderation. */
import { AppError } from '../errors.ts';
import type { Pixels, View } from './image-decoder.ts';
import type { OpenSettings } from './open-image.ts';

/** The codes of a strict decode that a lenient one may do without. */
const DAMAGE = ['image_truncated', 'image_corrupt'];

const isDamage = (error: unknown): error is AppError =>
  error instanceof AppError && DAMAGE.includes(error.code);

/**
 * Runs `work` strictly and, where the image turns out to be damaged, once more leniently, unless damaged images are
 * refused. Throws the first error where the second attempt finds no picture either.
 */
export async function despiteDamage<S extends OpenSettings, T>(
  settings: S,
  work: (settings: S) => Promise<T>,
): Promise<T> {
  try {
    return await work({ ...settings, lenient: false });
  } catch (first) {
    if (settings.views.damaged === 'refuse' || !isDamage(first)) throw first;
    try {
      return await work({ ...settings, lenient: true });
    } catch (second) {
      throw isDamage(second) ? first : second;
    }
  }
}

/**
 * The views of all frames. A damaged image is judged by the frames that can be decoded, as long as one of them shows
 * anything: the decoder fills what it lacks with one colour. Throws AppError `image_corrupt` where none does.
 */
export async function viewsOfFrames(
  frames: readonly number[],
  lenient: boolean,
  viewsOf: (frame: number) => Promise<View[]>,
): Promise<View[]> {
  const views: View[] = [];
  let failure = new AppError('image_corrupt', 'decoding an image: no part of it can be decoded');
  for (const frame of frames) {
    try {
      views.push(...(await viewsOf(frame)));
    } catch (error) {
      if (!lenient || !isDamage(error)) throw error;
      failure = error;
    }
  }
  if (lenient && isBlank(views)) throw failure;
  return views;
}

/** Whether all views show one colour, and the same where they have the same background. */
function isBlank(views: readonly View[]): boolean {
  const shown = new Set(
    views.map(({ region, pixels }) => `${region.background} ${colourOf(pixels)}`),
  );
  const backgrounds = new Set(views.map(({ region }) => region.background));
  return !views.some(({ pixels }) => colourOf(pixels) === null) && shown.size === backgrounds.size;
}

/** The one colour of the pixels; null where they have several. */
function colourOf({ data }: Pixels): string | null {
  return data.every((value, at) => value === data[at % 3]) ? data.subarray(0, 3).join() : null;
}
