/**
 * The decoder process: encoded bytes in, pixels out, one image at a time. The only file that imports the
 * native decoder, so that a crash in it costs a process that holds nothing but one image.
 */
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';

import { AppError, messageOf } from '../errors.ts';
import type {
  DecoderReply,
  DecoderRequest,
  DecoderResult,
  DecoderSettings,
} from './decoder-messages.ts';
import { geometryOf, type Axis, type Geometry } from './geometry.ts';
import type { DecodedImage, Pixels } from './image-decoder.ts';
import { HASHED_EDGE, fingerprintOf, type ImageFingerprint } from './image-fingerprint.ts';
import { planResampling } from './resample.ts';
import { isCutShort, sniffFormat, type ImageFormat } from './sniff-format.ts';
import { isSrgbProfile } from './srgb-profile.ts';

sharp.cache(false);
// One image per process, one thread per image: the pool has as many processes as there are cores.
sharp.concurrency(1);
// Loaders that are not on the list are never reached, even by a file that looks like two formats.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map((n) => `VipsForeignLoad${n}`),
});

/** The exact resampling does at least this much of the reduction: what it is spared hardly shows then. */
const LEAST_REDUCTION = 4;

const { preprocess, maxPixels } = JSON.parse(process.argv[2] ?? '{}') as DecoderSettings;

interface OpenImage {
  bytes: Buffer;
  format: ImageFormat;
  metadata: Metadata;
  /** Size as shown. */
  width: number;
  height: number;
  options: SharpOptions;
}

async function open(bytes: Buffer): Promise<OpenImage> {
  const format = sniffFormat(bytes);
  if (format === null) {
    throw new AppError(
      'image_format_unsupported',
      'decoding an image: not a JPEG, PNG, WebP, GIF, AVIF or TIFF',
    );
  }
  if (isCutShort(bytes, format)) throw truncated(format);
  // Warnings are let pass, as browsers do: what people get to see is to be inspected.
  const options: SharpOptions = { failOn: 'error', limitInputPixels: maxPixels };
  const metadata = await reading(format, () => sharp(bytes, options).metadata());
  const { width, height } = metadata.autoOrient;
  if (width * height > maxPixels) throw tooManyPixels(`${width}x${height}`);
  const ignoreIcc = metadata.icc !== undefined && isSrgbProfile(metadata.icc);
  return { bytes, format, metadata, width, height, options: { ...options, ignoreIcc } };
}

/** As it should be seen: upright, over white, in sRGB with 8 bits. */
function shown(image: OpenImage): Sharp {
  return sharp(image.bytes, image.options).autoOrient().flatten({ background: '#ffffff' });
}

async function decode(bytes: Buffer): Promise<DecodedImage> {
  const image = await open(bytes);
  const { width, height, format, metadata } = image;
  const geometry = geometryOf(preprocess, width, height);
  const kept = await reading(format, () => scale(image, geometry));
  return {
    pixels: pad(kept, geometry),
    format,
    width,
    height,
    frames: metadata.pages ?? 1,
    crop: preprocess.mode === 'squash' ? 'whole' : 'center',
  };
}

/** Decodes natively what the kept part is made of, and resamples it as Pillow does. */
async function scale(image: OpenImage, geometry: Geometry): Promise<Pixels> {
  const small = halve(geometry);
  const { horizontal, vertical, run } = planResampling(small, preprocess.kernel);
  const source =
    small === geometry ? shown(image) : halved(image, small.horizontal.input, small.vertical.input);
  const part = source.extract({
    left: horizontal.start,
    top: vertical.start,
    width: horizontal.length,
    height: vertical.length,
  });
  return run(isCmyk(image) ? cmykToRgb(await toBytes(part, 'cmyk')) : await toBytes(part, 'srgb'));
}

/**
 * A large image is brought near its target by halves before the exact resampling, natively and row by row,
 * so that its pixels never lie in memory all at once.
 */
function halve(geometry: Geometry): Geometry {
  const halvedAxis = (axis: Axis): Axis => {
    const halves = Math.floor(Math.log2(axis.input / axis.target / LEAST_REDUCTION));
    return halves < 1 ? axis : { ...axis, input: Math.ceil(axis.input / 2 ** halves) };
  };
  const horizontal = halvedAxis(geometry.horizontal);
  const vertical = halvedAxis(geometry.vertical);
  const same = horizontal === geometry.horizontal && vertical === geometry.vertical;
  return same || preprocess.kernel === 'nearest' ? geometry : { horizontal, vertical };
}

/**
 * A JPEG can be decoded at a half, a quarter or an eighth of its size, at once and faithfully, but the last
 * samples then stand for fewer pixels where the size does not divide, and the whole image shifts. An extract
 * of everything keeps the decoder from it.
 */
function halved(image: OpenImage, width: number, height: number): Sharp {
  const all = { left: 0, top: 0, width: image.width, height: image.height };
  const divides = image.width % width === 0 && image.height % height === 0;
  const source = divides ? shown(image) : shown(image).extract(all);
  return source.resize(width, height, { fit: 'fill', kernel: 'cubic' });
}

/** CMYK without a profile: with one, the decoder converts through it. */
function isCmyk({ metadata }: OpenImage): boolean {
  return metadata.space === 'cmyk' && metadata.icc === undefined;
}

/** As Pillow and browsers convert where no profile says better: ink by ink, in bytes rounded as Pillow does. */
function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const white = 255 - (cmyk[from + 3] as number);
    for (let ink = 0; ink < 3; ink++) {
      const product = (cmyk[from + ink] as number) * white + 128;
      rgb[to++] = Math.max(0, white - ((product + (product >> 8)) >> 8));
    }
  }
  return rgb;
}

async function toBytes(image: Sharp, space: 'srgb' | 'cmyk'): Promise<Uint8Array> {
  const pipeline = space === 'cmyk' ? image.pipelineColourspace('cmyk') : image;
  return await pipeline.toColourspace(space).raw({ depth: 'uchar' }).toBuffer();
}

function pad(kept: Pixels, { horizontal, vertical }: Geometry): Pixels {
  const { output: width, pad: left } = horizontal;
  const { output: height, pad: top } = vertical;
  if (kept.width === width && kept.height === height) return kept;
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < kept.height; row++) {
    const line = kept.data.subarray(row * kept.width * 3, (row + 1) * kept.width * 3);
    data.set(line, ((row + top) * width + left) * 3);
  }
  return { data, width, height };
}

async function thumbnail(bytes: Buffer, maxEdge: number): Promise<Uint8Array> {
  const image = await open(bytes);
  return await reading(image.format, () =>
    shown(image)
      .resize(maxEdge, maxEdge, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 75 })
      .toBuffer(),
  );
}

async function fingerprint(bytes: Buffer): Promise<ImageFingerprint> {
  const image = await open(bytes);
  const { width, height, format } = image;
  const { data, info } = await reading(format, () =>
    shown(image)
      .resize(HASHED_EDGE, HASHED_EDGE, { fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  );
  return { ...fingerprintOf({ ...info, data }), width, height, format };
}

/** Runs the native decoder and gives its errors codes. */
async function reading<T>(format: ImageFormat, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    const message = messageOf(cause)
      .replaceAll(/\s+/g, ' ')
      .replace(/[:\s]+$/, '');
    if (message.includes('exceeds pixel limit')) throw tooManyPixels('the image');
    if (/premature end|unexpected end/i.test(message)) {
      throw truncated(format, message);
    }
    throw new AppError('image_corrupt', `decoding the ${format} image: ${message}`, { cause });
  }
}

function truncated(format: ImageFormat, detail = 'the file ends too early'): AppError {
  return new AppError('image_truncated', `decoding the ${format} image: ${detail}`);
}

function tooManyPixels(size: string): AppError {
  return new AppError(
    'image_too_many_pixels',
    `decoding an image: ${size} is more than the limit of ${maxPixels} pixels`,
  );
}

function perform(request: DecoderRequest, bytes: Buffer): Promise<DecoderResult> {
  switch (request.task) {
    case 'decode':
      return decode(bytes);
    case 'thumbnail':
      return thumbnail(bytes, request.maxEdge);
    case 'fingerprint':
      return fingerprint(bytes);
  }
}

function reply(message: DecoderReply): void {
  process.send?.(message);
}

process.on('message', (request: DecoderRequest) => {
  const { buffer, byteOffset, byteLength } = request.bytes;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  perform(request, bytes).then(
    (done) => reply({ kind: 'done', result: done }),
    (error: unknown) => {
      // Not of the image's making: the process is not to be trusted with another one.
      if (!(error instanceof AppError)) throw error;
      reply({ kind: 'failed', code: error.code, message: error.message });
    },
  );
});
// The parent is gone.
process.on('disconnect', () => process.exit());
reply({ kind: 'ready' });
