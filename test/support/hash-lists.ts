import { createHash } from 'node:crypto';
import type { ListSpec } from '../../src/hashes/hash-list.ts';
import { pdqHex, type PdqHash } from '../../src/hashes/pdq.ts';

export function blockList(overrides: Partial<ListSpec> = {}): ListSpec {
  const spec: ListSpec = {
    id: 'known',
    kind: 'block',
    mode: 'enforce',
    distance: 31,
    policies: null,
  };
  return { ...spec, ...overrides };
}

/** The SHA-256 of file number `n`. */
export function fileHash(n: number): string {
  return createHash('sha256').update(`file ${n}`).digest('hex');
}

/** The PDQ hash of picture number `n` with `bits` of it flipped; different numbers are far apart. */
export function nearly(n: number, bits: number): PdqHash {
  const hash = Uint8Array.from(createHash('sha256').update(`picture ${n}`).digest());
  for (let i = 0; i < bits; i++) {
    const bit = (i * 37) % 256; // all different: 37 and 256 have no common factor
    hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
  return { hash, quality: 100 };
}

/** The same in hex. */
export function picture(n: number, bits = 0): string {
  return pdqHex(nearly(n, bits).hash);
}
