import type { CacheFault, EmbeddingCache } from './embedding-cache.ts';

export interface LayeredCacheOptions {
  memory: EmbeddingCache;
  shared: EmbeddingCache;
  /**
   * Writes to the shared store under way at once; beyond them an image is kept in memory only.
   * @default 64
   */
  maxWrites?: number;
  onFault?: ((fault: CacheFault) => void) | undefined;
}

/** Memory before a shared store: what is found in the store is kept in memory too. Nobody waits for its writes. */
export function createLayeredCache({
  memory,
  shared,
  maxWrites = 64,
  onFault,
}: LayeredCacheOptions): EmbeddingCache {
  const writes = new Set<Promise<void>>();

  return {
    isOn: true,
    wantsPdq: memory.wantsPdq,
    find: async (sha256) => {
      const near = await memory.find(sha256);
      if (near) return near;
      const far = await shared.find(sha256);
      if (far) await memory.keep(sha256, far.image);
      return far;
    },
    findNear: (pdq) => memory.findNear(pdq),
    keep: async (sha256, image) => {
      await memory.keep(sha256, image);
      if (writes.size >= maxWrites) {
        onFault?.('dropped');
        return;
      }
      const write = shared.keep(sha256, image).finally(() => writes.delete(write));
      writes.add(write);
    },
    size: () => memory.size(),
    close: async () => {
      await Promise.all(writes);
      await Promise.all([memory.close(), shared.close()]);
    },
  };
}
