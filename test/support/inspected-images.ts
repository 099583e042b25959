import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  EmbeddingCache,
  EmbeddingSpace,
  InspectedImage,
} from '../../src/cache/embedding-cache.ts';
import { aRegion } from './builders.ts';

export const DIMENSIONS = 8;

/** A space that no other test has. */
export function aSpace(overrides: Partial<EmbeddingSpace> = {}): EmbeddingSpace {
  return {
    modelHash: sha256Of(crypto.randomUUID()),
    preprocessing: 'sharp-0.35/bicubic/crop-224-224x224/2',
    dimensions: DIMENSIONS,
    ...overrides,
  };
}

export function sha256Of(name: string | number): string {
  return createHash('sha256').update(String(name)).digest('hex');
}

/** A unit vector that no other seed gives. */
export function aUnitVector(seed: number, dimensions = DIMENSIONS): Float32Array {
  const raw = Array.from({ length: dimensions }, (_, i) => Math.sin(seed * 7.3 + i * i + 1));
  const length = Math.hypot(...raw);
  return Float32Array.from(raw, (number) => number / length);
}

export function anInspectedImage(
  seed = 1,
  overrides: Partial<InspectedImage> = {},
): InspectedImage {
  return {
    format: 'jpeg',
    width: 640 + seed,
    height: 480,
    frames: 1,
    damaged: false,
    pdq: { hash: sha256Of(seed), quality: 80 },
    views: [{ region: aRegion(), embedding: aUnitVector(seed) }],
    ...overrides,
  };
}

/** `hash` with its first `bits` bits turned over. */
export function flipBits(hash: string, bits: number): string {
  const value = BigInt(`0x${hash}`) ^ ((1n << BigInt(bits)) - 1n);
  return value.toString(16).padStart(64, '0');
}

/** Asks until the cache keeps and finds, as a shared store does once it is connected. */
export async function untilUsed(cache: EmbeddingCache): Promise<void> {
  const sha256 = sha256Of('used?');
  for (;;) {
    await cache.keep(sha256, anInspectedImage());
    if (await cache.find(sha256)) return;
    await sleep(10);
  }
}
