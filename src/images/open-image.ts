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
    const image = { bytes: pixels, format, plainJpeg, width, height, frames, cmyk: false };
    return { ...image, damaged: lenient, options: { raw, limitInputPixels: maxPixels } };
  }
  return {
    ...{ bytes, format, plainJpeg, width, height, frames },
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
  cmyk: boolean;
  /** The profile says what is assumed without one. */
  ignoreIcc: boolean;
}

function factsOfAnimation({ width, height, frames }: Apng): Facts {
  return { width, height, frames: frames.length, cmyk: false, ignoreIcc: true };
}

function factsOf({ width, height, orientation }: JpegHeader): Facts {
  const [across, down] = orientation > 4 ? [height, width] : [width, height];
  return { width: across, height: down, frames: 1, cmyk: false, ignoreIcc: true };
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
  const { autoOrient, pages, icc, space } = metadata;
  return {
    ...autoOrient,
    frames: pages ?? 1,
    cmyk: space === 'cmyk' && icc === undefined,
    ignoreIcc: icc !== undefined && isSrgbProfile(icc),
  };
}

/** The frame, upright. */
export function upright({ bytes, options }: OpenImage): Sharp {
  return sharp(bytes, options).autoOrient();
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
