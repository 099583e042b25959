/**
 * What inspection found of an image, kept so that the same picture is not decoded and embedded again. Verdicts are
 * never kept: whoever finds an image judges it anew, with the policies of the day. This room knows no pipeline.
 */
import type { Region } from '../events/types.generated.ts';

/** A PDQ hash (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019). */
export interface Pdq {
  /** 64 lower-case hex digits: 256 bits. */
  readonly hash: string;
  /** 0–100; below 50 the picture has too little structure for its hash to mean anything. */
  readonly quality: number;
}

/** What inspection found of one image, before policies: enough to judge it again. Not to be written to. */
export interface InspectedImage {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly damaged: boolean;
  /** Null where no PDQ was computed: whoever needs one has to inspect the image again. */
  readonly pdq: Pdq | null;
  /** At least one; unit vectors [dimensions]. */
  readonly views: readonly InspectedView[];
}

export interface InspectedView {
  readonly region: Region;
  readonly embedding: Float32Array;
  /** To the prompts of this process, of an image just inspected; never kept. */
  readonly similarities?: Float32Array | null;
}

/** Everything that decides which embeddings an image has: what was found in one space is nothing in another. */
export interface EmbeddingSpace {
  /** SHA-256 of the model folder. */
  readonly modelHash: string;
  /** The version of the way from bytes to views. */
  readonly preprocessing: string;
  /** Numbers in an embedding. */
  readonly dimensions: number;
}

export interface CacheHit {
  image: InspectedImage;
  by: 'sha256' | 'pdq';
  store: 'memory' | 'shared';
  /** Bits in which the PDQ hashes differ; 0 for sha256. */
  distance: number;
  /** Of the image that was inspected: for `pdq` not the one that was asked for. */
  sha256: string;
}

/** What lies in the memory of this process. */
export interface CacheSize {
  entries: number;
  bytes: number;
}

/** No method rejects or throws: a store in trouble finds nothing and keeps nothing. */
export interface EmbeddingCache {
  /** Whether what is found of an image may serve several events at all. */
  readonly isOn: boolean;
  /** Whether an image's PDQ hash can make a difference. */
  readonly wantsPdq: boolean;
  /** The image with exactly these bytes; `sha256` in lower-case hex. */
  find(sha256: string): Promise<CacheHit | null>;
  /** The nearest picture in memory; null when near reuse is off. */
  findNear(pdq: Pdq): CacheHit | null;
  /** Takes copies of the vectors. */
  keep(sha256: string, image: InspectedImage): Promise<void>;
  size(): CacheSize;
  /** Waits for the writes under way and lets go of everything; nothing kept before is found afterwards. */
  close(): Promise<void>;
}

/** What a shared store did not do: `dropped` are writes not begun because too many were under way. */
export type CacheFault = 'connection' | 'read' | 'write' | 'unreadable' | 'dropped';

/** Finds nothing: every image is inspected for itself. */
export const noCache: EmbeddingCache = {
  isOn: false,
  wantsPdq: false,
  find: () => Promise.resolve(null),
  findNear: () => null,
  keep: () => Promise.resolve(),
  size: () => ({ entries: 0, bytes: 0 }),
  close: () => Promise.resolve(),
};
