/** Opens an encoded image: what it is, whether it is to be decoded, and how. The one file that imports sharp. */
import sharp, { type Sharp, type SharpOptions } from 'sharp';

import { AppError, messageOf } from '../errors.ts';
import type { Apng } from './as-browsers/apng.ts';
import { composedFrame } from './as-browsers/apng-frames.ts';
import { asBrowsersShow } from './as-browsers/as-browsers.ts';
import type { Codec } from './as-browsers/codec.ts';
import type { DecoderSettings } from './decoder-messages.ts';
import { readJpegHeader, type JpegHeader } from './jpeg-header.ts';
import { isCutShort, sniffFormat, type ImageFormat } from './sniff-format.ts';
import { isSrgbProfile } from './srgb-profile.ts';

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
  /** The file ends too early, and what is there of it is to be inspected. */
  truncated: boolean;
  options: SharpOptions;
}

export type OpenSettings = Omit<DecoderSettings, 'preprocess'>;

/**
 * Reads the header of one frame. Throws AppError `image_format_unsupported`, `image_truncated`, `image_corrupt`,
 * `image_too_many_pixels` or `image_too_many_frames`.
 */
export async function openImage(
  encoded: Buffer,
  { formats, maxPixels, maxEdge, maxFrames, views }: OpenSettings,
  frame = 0,
): Promise<OpenImage> {
  const format = sniffFormat(encoded);
  if (format === null || !formats.includes(format)) {
    const what = format === null ? 'not an image of a known format' : `a ${format}`;
    throw new AppError(
      'image_format_unsupported',
      `decoding an image: ${what}; decoded are ${formats.join(', ')}`,
    );
  }
  const cutShort = isCutShort(encoded, format);
  if (cutShort && views.truncated === 'refuse') throw truncated(format);
  const codec = codecOf(maxPixels);
  const shown = await reading(format, () => asBrowsersShow(encoded, format, codec));
  const { bytes, added = 0, animation } = shown;
  const options: SharpOptions = {
    // Warnings are let pass, as browsers do: what people get to see is to be inspected.
    failOn: cutShort ? 'none' : 'error',
    limitInputPixels: maxPixels,
    ...(frame > 0 && { page: frame }),
  };
  const plainJpeg = format === 'jpeg' && !cutShort ? readJpegHeader(bytes) : null;
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
    return { ...image, truncated: cutShort, options: { raw, limitInputPixels: maxPixels } };
  }
  return {
    ...{ bytes, format, plainJpeg, width, height, frames },
    cmyk: colours.cmyk,
    truncated: cutShort,
    options: { ...options, ignoreIcc: colours.ignoreIcc },
  };
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

/** Runs the native decoder and gives its errors codes. */
export async function reading<T>(format: ImageFormat, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    const message = messageOf(cause)
      .replaceAll(/\s+/g, ' ')
      .replace(/[:\s]+$/, '');
    if (message.includes('exceeds pixel limit')) throw tooManyPixels(message);
    // A sequence without a still image.
    if (format === 'avif' && message.includes('unsupported image format')) {
      throw new AppError('image_format_unsupported', `decoding the avif image: ${message}`);
    }
    if (/premature end|unexpected end/i.test(message)) throw truncated(format, message);
    throw new AppError('image_corrupt', `decoding the ${format} image: ${message}`, { cause });
  }
}

function truncated(format: ImageFormat, detail = 'the file ends too early'): AppError {
  return new AppError('image_truncated', `decoding the ${format} image: ${detail}`);
}

function tooManyPixels(why: string): AppError {
  return new AppError('image_too_many_pixels', `decoding an image: ${why}`);
}
