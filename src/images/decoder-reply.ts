import { z } from 'zod';

import { messageOf } from '../errors.ts';
import type {
  DecoderJob,
  DecoderReply,
  DecoderRequest,
  DecoderResult,
  DecoderSettings,
} from './decoder-messages.ts';
import type { DecodedImage, PreprocessSpec } from './image-decoder.ts';
import type { ImageFingerprint } from './image-fingerprint.ts';
import { MOST_DETAILS } from './views.ts';

/** Longer messages are cut: they become part of a verdict. */
const MAX_MESSAGE_CHARACTERS = 1_000;
/** A WebP takes more than its pixels only when it is tiny. */
const THUMBNAIL_OVERHEAD_BYTES = 64 * 1024;
/** The largest thumbnail that is asked for has this many pixels each way. */
const MAX_THUMBNAIL_EDGE = 2_048;
/** A view is shown over white, over black and without alpha. */
const WAYS = 3;

/** What a decoder process may say of an image; any other code comes from the service itself, or from nowhere. */
const IMAGE_CODES = [
  'image_format_unsupported',
  'image_truncated',
  'image_corrupt',
  'image_too_many_pixels',
  'image_too_many_frames',
] as const;

const bytes = z.instanceof(Uint8Array<ArrayBufferLike>);

/** What a decoder process with these settings does not say. */
export interface Malformed {
  kind: 'malformed';
  why: string;
}

export interface ReplyReader {
  /** The reply to what was asked of the process, which may be nothing. Only what is known is in it. */
  read(said: unknown, asked: DecoderJob | 'ready' | null): DecoderReply | Malformed;
  /** The most bytes of pixels that a reply has. */
  maxBytes: number;
}

/** Reads replies of decoder processes, which an image may have taken over. */
export function createReplyReader(settings: DecoderSettings): ReplyReader {
  const image = imageSchema(settings);
  const fingerprint = fingerprintSchema(settings);
  const { preprocess, views } = settings;
  const pixelBytes = mostViews(settings) * preprocess.width * preprocess.height * 3;

  function resultOf(result: unknown, request: DecoderRequest): DecoderResult {
    if (request.task === 'thumbnail') return thumbnailOf(result, request.maxEdge);
    if (request.task === 'fingerprint') return fingerprint.parse(result);
    const decoded = image.parse(result);
    const wanted = request.pdq ?? false;
    if ((decoded.pdq !== null) !== wanted)
      throw new Error(`pdq: ${wanted ? 'missing' : 'unasked'}`);
    if (decoded.damaged && views.damaged === 'refuse') throw new Error('damaged: refused');
    return decoded;
  }

  function parse(said: unknown, asked: DecoderJob | 'ready'): DecoderReply {
    if (asked === 'ready') return READY.parse(said);
    const answer = ANSWER.parse(said);
    if (answer.job !== asked.job) throw new Error(`job: ${answer.job} instead of ${asked.job}`);
    if (answer.kind === 'failed') return answer;
    return { ...answer, result: resultOf(answer.result, asked.request) };
  }

  return {
    maxBytes: Math.max(pixelBytes, thumbnailBytes(MAX_THUMBNAIL_EDGE)),
    read: (said, asked) => {
      if (asked === null) return { kind: 'malformed', why: 'it was asked nothing' };
      try {
        return parse(said, asked);
      } catch (error) {
        return { kind: 'malformed', why: whyOf(error) };
      }
    },
  };
}

/** The first thing that is wrong; a schema names them all. */
function whyOf(error: unknown): string {
  const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
  return issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error);
}

const READY = z.object({ kind: z.literal('ready') });
const job = z.int().nonnegative();
const ANSWER = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done'), job, result: z.unknown() }),
  z.object({
    kind: z.literal('failed'),
    job,
    code: z.enum(IMAGE_CODES),
    message: z.string().transform((text) => text.slice(0, MAX_MESSAGE_CHARACTERS)),
  }),
]);

const PDQ = { hash: z.string().regex(/^[0-9a-f]{64}$/), quality: z.number().min(0).max(100) };

function mostViews({ views: { sampledFrames, looks, tiles } }: DecoderSettings): number {
  const details = looks === 'thorough' ? MOST_DETAILS : 0;
  return WAYS * sampledFrames * (1 + tiles + details);
}

function sizeSchema({ formats, maxEdge }: DecoderSettings) {
  const edge = z.int().min(1).max(maxEdge);
  return { format: z.enum(formats), width: edge, height: edge };
}

function imageSchema(settings: DecoderSettings): z.ZodType<DecodedImage> {
  const { maxPixels, maxEdge } = settings;
  const size = sizeSchema(settings);
  const start = z.int().nonnegative();
  const length = z.int().positive();
  const region = z.object({
    frame: z.int().nonnegative(),
    crop: z.enum(['center', 'whole', 'tile', 'detail']),
    box: z.object({ left: start, top: start, width: length, height: length }),
    background: z.enum(['white', 'black', 'none']).nullable(),
  });
  const view = z.object({ pixels: pixelsSchema(settings.preprocess), region });
  return z
    .object({
      views: z.array(view).min(1).max(mostViews(settings)),
      ...size,
      frames: z.int().min(1).max(settings.maxFrames),
      damaged: z.boolean(),
      pdq: z.object(PDQ).nullable(),
    })
    .refine(({ width, height }) => width * height <= maxPixels)
    .refine(({ views, width, height, frames }) =>
      views.every(({ region: { frame, box } }) => {
        // The pages of a TIFF have sizes of their own.
        const [right, bottom] = frame === 0 ? [width, height] : [maxEdge, maxEdge];
        return frame < frames && box.left + box.width <= right && box.top + box.height <= bottom;
      }),
    );
}

function pixelsSchema({ width, height }: PreprocessSpec) {
  return z.object({
    data: bytes.refine(({ length }) => length === width * height * 3),
    width: z.literal(width),
    height: z.literal(height),
  });
}

function fingerprintSchema(settings: DecoderSettings): z.ZodType<ImageFingerprint> {
  const { maxPixels } = settings;
  return z
    .object({ ...PDQ, ...sizeSchema(settings) })
    .refine(({ width, height }) => width * height <= maxPixels);
}

function thumbnailOf(result: unknown, maxEdge: number): Uint8Array {
  const webp = bytes.parse(result);
  const tag = (at: number): string => Buffer.from(webp.subarray(at, at + 4)).toString('latin1');
  if (webp.length > thumbnailBytes(maxEdge)) throw new Error(`a thumbnail of ${webp.length} bytes`);
  if (tag(0) !== 'RIFF' || tag(8) !== 'WEBP') throw new Error('a thumbnail that is no WebP');
  return webp;
}

function thumbnailBytes(edge: number): number {
  return edge * edge * 3 + THUMBNAIL_OVERHEAD_BYTES;
}
