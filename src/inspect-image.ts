import { hash } from 'node:crypto';
import type { InspectedImage } from './cache/embedding-cache.ts';
import type { Embedder } from './inspector.ts';

/**
 * What is found of an image that comes with no event: decoded, and every view embedded. `Inspection` does the same
 * on an event's journey. Throws what the decoder and the batcher throw.
 */
export async function inspectImage(
  { images, batcher }: Pick<Embedder, 'images' | 'batcher'>,
  bytes: Buffer,
): Promise<InspectedImage> {
  const { views, ...facts } = await images.decode(bytes, { sha256: hash('sha256', bytes) });
  const embedded = await Promise.all(
    views.map(async ({ region, pixels }) => ({
      region,
      ...(await batcher.submit(pixels)).value,
    })),
  );
  return { ...facts, views: embedded };
}
