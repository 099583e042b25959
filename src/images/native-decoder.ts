import { playbackOf } from './animation.ts';
import { despiteDamage, viewsOfFrames } from './damage.ts';
import type { DecoderSettings } from './decoder-messages.ts';
import type { DecodedImage, View, WantedFacts } from './image-decoder.ts';
import { fingerprintOf, HASHED_EDGE, type ImageFingerprint } from './image-fingerprint.ts';
import { viewsOf } from './look.ts';
import {
  allowLoaders,
  openImage,
  reading,
  upright,
  type OpenImage,
  type OpenSettings,
} from './open-image.ts';

/** Decodes in the process that calls it. */
export interface NativeDecoder {
  /** Throws what `ImageDecoder.decode` throws of an image. */
  decode(bytes: Buffer, wanted?: WantedFacts): Promise<DecodedImage>;
  /** A WebP of at most `maxEdge` × `maxEdge` pixels, upright and over white. */
  thumbnail(bytes: Buffer, maxEdge: number): Promise<Uint8Array>;
  /** The perceptual hash of the first frame. */
  fingerprint(bytes: Buffer): Promise<ImageFingerprint>;
}

export function createNativeDecoder(settings: DecoderSettings): NativeDecoder {
  allowLoaders(settings.formats);
  return {
    decode: (bytes, wanted) =>
      despiteDamage(settings, (chosen) => decodeViews(bytes, chosen, wanted)),
    thumbnail: (bytes, maxEdge) =>
      despiteDamage(settings, async (chosen) => {
        const image = await openImage(bytes, chosen);
        return await reading(image.format, () =>
          inside(image, maxEdge).webp({ quality: 75 }).toBuffer(),
        );
      }),
    fingerprint: (bytes) =>
      despiteDamage(settings, async (chosen) => {
        const image = await openImage(bytes, chosen);
        const { width, height, format } = image;
        return { ...(await pdqOf(image)), width, height, format };
      }),
  };
}

async function decodeViews(
  bytes: Buffer,
  settings: DecoderSettings & OpenSettings,
  wanted?: WantedFacts,
): Promise<DecodedImage> {
  const first = await openImage(bytes, settings);
  const { format, width, height, frames, damaged } = first;
  const playback = await playbackOf(bytes, first, settings, wanted?.seed ?? '');
  const views = await viewsOfFrames(playback.frames, damaged, async (frame) => {
    const image = await playback.open(frame);
    const seen = await reading(format, () => viewsOf(image, frame, settings));
    const scale = format === 'tiff' ? 1 : width / image.width;
    return scale === 1 ? seen : seen.map((view) => enlarged(view, scale, { width, height }));
  });
  const pdq = wanted?.pdq ? await pdqOf(first) : null;
  return { views, format, width, height, frames, damaged, pdq };
}

/** A view of a frame that was made smaller, in the pixels of the frame as shown. */
function enlarged(view: View, scale: number, shown: { width: number; height: number }): View {
  const { box } = view.region;
  const left = Math.floor(box.left * scale);
  const top = Math.floor(box.top * scale);
  const width = Math.min(shown.width - left, Math.ceil(box.width * scale));
  const height = Math.min(shown.height - top, Math.ceil(box.height * scale));
  return { ...view, region: { ...view.region, box: { left, top, width, height } } };
}

async function pdqOf(image: OpenImage): Promise<{ hash: string; quality: number }> {
  const { data, info } = await reading(image.format, () =>
    inside(image, HASHED_EDGE)
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  );
  return fingerprintOf({ ...info, data });
}

/** As people see it, over white, within a square. */
function inside(image: OpenImage, edge: number): ReturnType<typeof upright> {
  return upright(image)
    .flatten({ background: '#ffffff' })
    .resize(edge, edge, { fit: 'inside', withoutEnlargement: true });
}
