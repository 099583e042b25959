/** Opens an encoded image: what it is, whether it is to be decoded, and how. The one file that imports sharp. */
import sharp, { type Sharp, type SharpOptions } from 'sharp';

import { AppError, messageOf } from '../errors.ts';
import type { Apng } from './as-browsers/apng.ts';
import { composedFrame } from './as-browsers/apng-frames.ts';
import { asBrowsersShow, type BrowserImage } from './as-browsers/as-browsers.ts';
import type { Codec } from './as-browsers/codec.ts';
import { complete } from './complete.ts';
import type { DecoderSettings } from './decoder-messages.ts';
import { readJpegHeader, type JpegHeader } from './jpeg-header.ts';
import { nameContent } from './name-content.ts';
import { isCutShort, sniffFormat, type ImageFormat } from './sniff-format.ts';
import { isSrgbProfile } from './srgb-profile.ts';
import { unknownLayout } from './tiff-layout.ts';

sharp.cache(false);
// One image per process, one thread per image: the pool has as many processes as there are cores.
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });

const MOST_FRAME_BYTES = 256 * 2 ** 20;

const LOADERS: Record<ImageFormat, string> = {
  jpeg: 'VipsForeignLoadJpeg',
  png: 'VipsForeignLoadPng',
  webp: 'VipsForeignLoadWebp',
  gif: 'VipsForeignLoadNsgif',
  avif: 'VipsForeignLoadHeif',
  tiff: 'VipsForeignLoadTiff',
};

/** Loaders of other formats are never reached in this process, even by a file that looks like two formats. */
export function allowLoaders(formats: readonly ImageFormat[]): void {
  sharp.unblock({ operation: formats.map((format) => LOADERS[format]) });
}

export interface OpenImage {
  bytes: Buffer;
  format: ImageFormat;
  /** CMYK without a profile: with one, the decoder converts through it. */
  cmyk: boolean;
  /** An ordinary JPEG, which need not be decoded natively. */
  plainJpeg: JpegHeader | null;
  /** Size of the frame as shown. */
  width: number;
  height: number;
  /** Frames of an animation, pages of a TIFF. */
  frames: number;
  /** How long each frame is shown, in ms; null for what is not played. */
  delays: readonly number[] | null;
  /** It has been found damaged, and what can be decoded of it is to be inspected. */
  damaged: boolean;
  options: SharpOptions;
}

export interface OpenSettings extends Omit<DecoderSettings, 'preprocess'> {
  /** Whether damage is let pass: set by `despiteDamage`. @default false */
  lenient?: boolean;
}

/**
 * Reads the header of one frame. Throws AppError `image_format_unsupported`, `image_truncated`, `image_corrupt`,
 * `image_too_many_pixels` or `image_too_many_frames`.
 */
export async function openImage(
  encoded: Buffer,
  { formats, maxPixels, maxEdge, maxFrames, lenient = false }: OpenSettings,
  frame = 0,
): Promise<OpenImage> {
  const format = sniffFormat(encoded);
  if (format === null || !formats.includes(format)) {
    const what = format === null ? nameContent(encoded).name : `a ${format}`;
    throw new AppError(
      'image_format_unsupported',
      `decoding an image: ${what}; decoded are ${formats.join(', ')}`,
    );
  }
  if (!lenient && isCutShort(encoded, format)) throw truncated(format);
  const { bytes, added = 0, animation } = await shownBytes(encoded, format, maxPixels, lenient);
  const options: SharpOptions = {
    // Warnings are let pass, as browsers do: what people get to see is to be inspected.
    failOn: lenient ? 'none' : 'error',
    // Else libvips gives a JPEG up at its 100th warning, and libpng large chunks; the pool bounds time and memory.
    unlimited: lenient,
    limitInputPixels: maxPixels,
    ...(frame > 0 && { page: frame }),
  };
  const plainJpeg = format === 'jpeg' && !lenient ? readJpegHeader(bytes) : null;
  const facts = plainJpeg
    ? factsOf(plainJpeg)
    : animation
      ? factsOfAnimation(animation)
      : await readFacts(bytes, format, options);
  const { width, height, ...colours } = facts;
  const frames = facts.frames - added;
  if (frames < 1) {
    throw new AppError('image_corrupt', `decoding the ${format} image: it has no frame`);
  }
  if (width * height > maxPixels || Math.max(width, height) > maxEdge) {
    throw tooManyPixels(
      `${width}x${height} is more than the limit of ${maxPixels} pixels, or of ${maxEdge} on an edge`,
    );
  }
  if (frames > maxFrames) {
    throw new AppError(
      'image_too_many_frames',
      `decoding an image: its ${frames} frames are more than the limit of ${maxFrames}`,
    );
  }
  if (animation) {
    const raw = { width, height, channels: 4 } as const;
    const pixels = await reading(format, () => composedFrame(encoded, animation, frame));
    const { delays } = facts;
    const image = { bytes: pixels, format, plainJpeg, width, height, frames, delays, cmyk: false };
    return { ...image, damaged: lenient, options: { raw, limitInputPixels: maxPixels } };
  }
  return {
    ...{ bytes, format, plainJpeg, width, height, frames },
    delays: colours.delays,
    cmyk: colours.cmyk,
    damaged: lenient,
    options: { ...options, ignoreIcc: colours.ignoreIcc },
  };
}

/** The bytes of what browsers show, completed where damage is let pass. */
async function shownBytes(
  encoded: Buffer,
  format: ImageFormat,
  maxPixels: number,
  lenient: boolean,
): Promise<BrowserImage> {
  const codec = codecOf(maxPixels);
  const shown = await reading(format, () => asBrowsersShow(encoded, format, codec));
  // The frames of an animated PNG are decoded each by itself; to complete it would leave the first.
  if (!lenient || shown.animation) return shown;
  const completed = await complete(encoded, format, maxPixels);
  return await reading(format, () => asBrowsersShow(completed, format, codec));
}

function codecOf(limitInputPixels: number): Codec {
  const options: SharpOptions = { failOn: 'none', limitInputPixels };
  return {
    toEightBits: (png, grey) =>
      sharp(png, { ...options, ignoreIcc: true })
        .autoOrient()
        .toColourspace(grey ? 'b-w' : 'srgb')
        .png({ compressionLevel: 1 })
        .toBuffer(),
    rgbaOf: (png) =>
      sharp(png, options).toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer(),
    pixelsOf: (png) => sharp(png, options).toColourspace('srgb').raw().toBuffer(),
  };
}

/** Of the frame as shown, and of the file. */
interface Facts {
  width: number;
  height: number;
  frames: number;
  delays: readonly number[] | null;
  cmyk: boolean;
  /** The profile says what is assumed without one. */
  ignoreIcc: boolean;
}

function factsOfAnimation({ width, height, frames }: Apng): Facts {
  const delays = frames.map(({ durationMs }) => durationMs);
  return { width, height, frames: frames.length, delays, cmyk: false, ignoreIcc: true };
}

function factsOf({ width, height, orientation }: JpegHeader): Facts {
  const [across, down] = orientation > 4 ? [height, width] : [width, height];
  return { width: across, height: down, frames: 1, delays: null, cmyk: false, ignoreIcc: true };
}

async function readFacts(
  bytes: Buffer,
  format: ImageFormat,
  options: SharpOptions,
): Promise<Facts> {
  const metadata = await reading(format, () => sharp(bytes, options).metadata());
  const unknown = format === 'tiff' ? unknownLayout(metadata) : null;
  if (unknown !== null) {
    throw new AppError('image_format_unsupported', `decoding an image: a tiff of ${unknown}`);
  }
  const { autoOrient, pages, delay, icc, space } = metadata;
  return {
    ...autoOrient,
    frames: pages ?? 1,
    delays: delay ?? null,
    cmyk: space === 'cmyk' && icc === undefined,
    ignoreIcc: icc !== undefined && isSrgbProfile(icc),
  };
}

/** The frame, upright. */
export function upright({ bytes, options }: OpenImage): Sharp {
  return sharp(bytes, options).autoOrient();
}

/** Decoded frames of an animation, one below the other. */
export interface OpenFrames {
  data: Buffer;
  /** Size of a frame as decoded, which may be less than as shown. */
  width: number;
  height: number;
  channels: 3 | 4;
}

/** Decodes all frames in one pass, made smaller where they would take more than 256 MiB. */
export async function openFrames(image: OpenImage): Promise<OpenFrames> {
  const { bytes, format, frames } = image;
  const size = image.width * image.height * frames * 4;
  const scale = Math.min(1, Math.sqrt(MOST_FRAME_BYTES / size));
  const width = Math.max(1, Math.floor(image.width * scale));
  const height = Math.max(1, Math.floor(image.height * scale));
  const options = { ...image.options, page: 0, pages: frames, limitInputPixels: false };
  const played = sharp(bytes, options);
  const fitted = scale < 1 ? played.resize(width, height, { fit: 'fill' }) : played;
  const { data, info } = await reading(format, () =>
    fitted.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
  );
  return { data, width, height, channels: info.channels === 4 ? 4 : 3 };
}

/** One of them as an image of its own. */
export function rawFrame(image: OpenImage, frames: OpenFrames, frame: number): OpenImage {
  const { data, width, height, channels } = frames;
  const length = width * height * channels;
  const bytes = data.subarray(frame * length, (frame + 1) * length);
  const raw = { width, height, channels };
  return { ...image, bytes, width, height, options: { raw, limitInputPixels: false } };
}

/** Decoded RGB pixels as an image. */
export function rawImage(rgb: Uint8Array, size: { width: number; height: number }): Sharp {
  return sharp(rgb, { raw: { ...size, channels: 3 }, limitInputPixels: false });
}

/** What libjpeg, libnsgif and libheif say. */
const ENDS_EARLY = /premature end|unexpected end|cannot read full|insufficient input/i;

/** Runs the native decoder and gives its errors codes. */
export async function reading<T>(format: ImageFormat, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    const message = messageOf(cause)
      // libheif reads ahead, beyond the end of whole files too.
      .replaceAll(/source: bad seek to \d+/g, '')
      .replaceAll(/\s+/g, ' ')
      .replace(/[:\s]+$/, '');
    if (message.includes('exceeds pixel limit')) throw tooManyPixels(message);
    if (ENDS_EARLY.test(message)) throw truncated(format, message);
    throw new AppError('image_corrupt', `decoding the ${format} image: ${message}`, { cause });
  }
}

function truncated(format: ImageFormat, detail = 'the file ends too early'): AppError {
  return new AppError('image_truncated', `decoding the ${format} image: ${detail}`);
}

function tooManyPixels(why: string): AppError {
  return new AppError('image_too_many_pixels', `decoding an image: ${why}`);
}
