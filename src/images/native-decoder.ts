import type { DecoderSettings } from './decoder-messages.ts';
import type { DecodedImage, View, WantedFacts } from './image-decoder.ts';
import { fingerprintOf, HASHED_EDGE, type ImageFingerprint } from './image-fingerprint.ts';
import { viewsOf } from './look.ts';
import { allowLoaders, openImage, reading, upright, type OpenImage } from './open-image.ts';
import { choosePages } from './frames.ts';

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
    decode: async (bytes, wanted) => {
      const first = await openImage(bytes, settings);
      const { format, width, height, frames, truncated } = first;
      const views: View[] = [];
      for (const frame of choosePages(frames, settings.views.sampledFrames)) {
        const image = frame === 0 ? first : await openImage(bytes, settings, frame);
        views.push(...(await reading(format, () => viewsOf(image, frame, settings))));
      }
      const pdq = wanted?.pdq ? await pdqOf(first) : null;
      return { views, format, width, height, frames, truncated, pdq };
    },
    thumbnail: async (bytes, maxEdge) => {
      const image = await openImage(bytes, settings);
      return await reading(image.format, () =>
        inside(image, maxEdge).webp({ quality: 75 }).toBuffer(),
      );
    },
    fingerprint: async (bytes) => {
      const image = await openImage(bytes, settings);
      const { width, height, format } = image;
      return { ...(await pdqOf(image)), width, height, format };
    },
  };
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
