/** Plays an animation through once, to choose which of its frames are looked at. */
import { chooseFrames, choosePages, type Scene } from './frames.ts';
import {
  openFrames,
  openImage,
  rawFrame,
  type OpenImage,
  type OpenSettings,
} from './open-image.ts';

/** Edge of a thumbnail, and how many of a cell's pixels are read each way. */
const THUMBNAIL_EDGE = 16;
const READ_OF_CELL = 4;

/** What is looked at of an image, and how. */
export interface Playback {
  /** Zero-based, ascending. */
  frames: readonly number[];
  open: (frame: number) => Promise<OpenImage>;
}

/**
 * The frames of an animation that `chooseFrames` chooses by `seed`, the pages of a document that `choosePages` does.
 * Throws what `openImage` throws.
 */
export async function playbackOf(
  encoded: Buffer,
  first: OpenImage,
  settings: OpenSettings,
  seed: string,
): Promise<Playback> {
  const { frames: total, delays } = first;
  const most = settings.views.sampledFrames;
  const open = (frame: number): Promise<OpenImage> =>
    frame === 0 ? Promise.resolve(first) : openImage(encoded, settings, frame);
  if (delays === null || total <= most) return { frames: choosePages(total, most), open };
  const at = first.options.raw ? open : await framesOf(first, open);
  const scenes: Scene[] = [];
  for (let frame = 0; frame < total; frame++) {
    const thumbnail = thumbnailOf(await at(frame));
    if (thumbnail === null) return { frames: choosePages(total, most), open };
    scenes.push({ durationMs: delays[frame] ?? 0, thumbnail });
  }
  return { frames: chooseFrames(scenes, most, seed), open: at };
}

/** All frames, decoded in one pass; a damaged animation is opened frame by frame instead. */
async function framesOf(first: OpenImage, open: Playback['open']): Promise<Playback['open']> {
  try {
    const all = await openFrames(first);
    return (frame) => Promise.resolve(rawFrame(first, all, frame));
  } catch (error) {
    if (!first.damaged) throw error;
    return open;
  }
}

/** Means of the cells of a grid over a frame's pixels; null where it has not been decoded. */
function thumbnailOf({ bytes, options, width, height }: OpenImage): Uint8Array | null {
  const channels = options.raw?.channels;
  if (channels === undefined) return null;
  const thumbnail = new Uint8Array(THUMBNAIL_EDGE * THUMBNAIL_EDGE * 3);
  const samples = THUMBNAIL_EDGE * READ_OF_CELL;
  const sums = new Float64Array(thumbnail.length);
  for (let row = 0; row < samples; row++) {
    const y = Math.floor(((row + 0.5) * height) / samples);
    for (let column = 0; column < samples; column++) {
      const x = Math.floor(((column + 0.5) * width) / samples);
      const from = (y * width + x) * channels;
      const alpha = channels === 4 ? (bytes[from + 3] as number) / 255 : 1;
      const cell =
        Math.floor(row / READ_OF_CELL) * THUMBNAIL_EDGE + Math.floor(column / READ_OF_CELL);
      for (let channel = 0; channel < 3; channel++) {
        const value = (bytes[from + channel] as number) * alpha;
        sums[cell * 3 + channel] = (sums[cell * 3 + channel] as number) + value;
      }
    }
  }
  for (let i = 0; i < sums.length; i++) thumbnail[i] = (sums[i] as number) / READ_OF_CELL ** 2;
  return thumbnail;
}
