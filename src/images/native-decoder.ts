import { flatten } from './alpha.ts';
import { despiteDamage, viewsOfFrames } from './damage.ts';
import type { DecoderSettings } from './decoder-messages.ts';
import type { Geometry } from './geometry.ts';
import type { DecodedImage, Pixels, View, WantedFacts } from './image-decoder.ts';
import { fingerprintOf, HASHED_EDGE, type ImageFingerprint } from './image-fingerprint.ts';
import {
  allowLoaders,
  openImage,
  reading,
  upright,
  type OpenImage,
  type OpenSettings,
} from './open-image.ts';
import { cut, decodePlainly, decodeRaster, unionOf } from './raster.ts';
import { planReduction } from './reduction.ts';
import { planResampling } from './resample.ts';
import { planViews, sampleFrames } from './views.ts';

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
  const sampled = sampleFrames(frames, settings.views.sampledFrames);
  const views = await viewsOfFrames(sampled, damaged, async (frame) => {
    const image = frame === 0 ? first : await openImage(bytes, settings, frame);
    return await reading(format, () => viewsOf(image, frame, settings));
  });
  const pdq = wanted?.pdq ? await pdqOf(first) : null;
  return { views, format, width, height, frames, damaged, pdq };
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

/** Decodes natively what the views of a frame are made of, once, and resamples each as Pillow does. */
async function viewsOf(
  image: OpenImage,
  frame: number,
  { preprocess, views: { tiles } }: DecoderSettings,
): Promise<View[]> {
  const planned = planViews(preprocess, image, tiles);
  const reduction = planReduction(image, planned, preprocess.kernel);
  const parts = reduction.views.map(({ area, geometry }) => {
    const resampling = planResampling(geometry, preprocess.kernel);
    const { horizontal, vertical } = resampling;
    const left = area.left + horizontal.start;
    const top = area.top + vertical.start;
    const box = { left, top, width: horizontal.length, height: vertical.length };
    return { resampling, geometry, box };
  });
  const decoded = unionOf(parts.map(({ box }) => box));
  const raster = reduction.reduced
    ? await decodeRaster(image, decoded, reduction)
    : (decodePlainly(image, decoded) ?? (await decodeRaster(image, decoded, null)));
  return parts.flatMap(({ resampling, geometry, box }, index) => {
    const { crop, box: shown } = planned[index] as (typeof planned)[number];
    const part = cut(raster, { ...box, left: box.left - decoded.left, top: box.top - decoded.top });
    const ways = part.channels === 3 ? [{ background: null, data: part.data }] : flatten(part.data);
    // Tiles of a frame are looked at in one way only: each further one costs an inference.
    return (crop === 'tile' ? ways.slice(0, 1) : ways).map(({ background, data }) => ({
      pixels: pad(resampling.run(data), geometry),
      region: { frame, crop, box: shown, background },
    }));
  });
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
