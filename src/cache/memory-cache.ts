import { LRUCache } from 'lru-cache';
import type { EmbeddingCache, InspectedImage, Pdq } from './embedding-cache.ts';
import { pdqWords, type PdqWords } from '../hashes/hamming.ts';
import { LEAST_QUALITY } from '../hashes/pdq.ts';
import { NearIndex } from './near-index.ts';

export interface MemoryCacheOptions {
  /** What the images kept may occupy together, the overhead of keeping them included. */
  maxBytes: number;
  /**
   * How many bits of 256 the PDQ hashes of two pictures may differ for one to be judged by the other's embedding;
   * null: never. Whoever can craft a picture with the hash of a harmless one evades inspection by it.
   * @default null
   */
  nearDistance?: number | null;
}

/** The images used most recently, in the memory of this process, for one embedding space. */
export function createMemoryCache({
  maxBytes,
  nearDistance = null,
}: MemoryCacheOptions): EmbeddingCache {
  const near = new NearIndex();
  const images = new LRUCache<string, InspectedImage>({
    maxSize: maxBytes,
    sizeCalculation: bytesOf,
    dispose: (_image, sha256) => near.remove(sha256),
  });

  return {
    isOn: true,
    wantsPdq: nearDistance !== null,
    find: (sha256) => {
      const image = images.get(sha256);
      return Promise.resolve(
        image ? { image, by: 'sha256', store: 'memory', distance: 0, sha256 } : null,
      );
    },
    findNear: (pdq) => {
      const hash = nearDistance === null ? null : comparable(pdq);
      if (hash === null || nearDistance === null) return null;
      const neighbour = near.nearest(hash, nearDistance);
      if (neighbour === null) return null;
      const { key: sha256, distance } = neighbour;
      const image = images.get(sha256);
      return image ? { image, by: 'pdq', store: 'memory', distance, sha256 } : null;
    },
    keep: (sha256, image) => {
      images.set(sha256, compact(image));
      const hash = nearDistance === null ? null : comparable(image.pdq);
      // An image larger than the whole cache was not taken.
      if (hash !== null && images.has(sha256)) near.add(sha256, hash);
      return Promise.resolve();
    },
    size: () => ({ entries: images.size, bytes: images.calculatedSize }),
    close: () => {
      images.clear();
      return Promise.resolve();
    },
  };
}

function comparable(pdq: Pdq | null): PdqWords | null {
  return pdq === null || pdq.quality < LEAST_QUALITY ? null : pdqWords(pdq.hash);
}

/** A copy with one block of numbers: the caller's vectors may be windows on the output of a whole batch. */
function compact(image: InspectedImage): InspectedImage {
  const block = new Float32Array(image.views.reduce((sum, view) => sum + view.embedding.length, 0));
  let at = 0;
  const views = image.views.map(({ region, embedding }) => {
    block.set(embedding, at);
    at += embedding.length;
    return { region, embedding: block.subarray(at - embedding.length, at) };
  });
  return { ...image, views };
}

/** By which resident memory grows beside the vectors, measured on Node 24: docs/dedupe.md, "Sizing". */
const ENTRY_BYTES = 1_000;
const VIEW_BYTES = 300;

function bytesOf(image: InspectedImage): number {
  const numbers = image.views.reduce((sum, view) => sum + view.embedding.byteLength, 0);
  return ENTRY_BYTES + image.views.length * VIEW_BYTES + numbers;
}
