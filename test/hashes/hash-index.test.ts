import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HashIndex, MAX_DISTANCE, type Near } from '../../src/hashes/hash-index.ts';
import { distance } from '../../src/hashes/pdq.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const bits = fc.array(fc.nat(255), { maxLength: MAX_DISTANCE + 2 });
/** Hashes at all distances around a few, since those by chance are all at about 128. */
const neighbourhood = hash.chain((centre) =>
  fc.record({
    query: fc.constant(centre),
    hashes: fc.array(
      fc.oneof({ weight: 6, arbitrary: bits.map((at) => flipped(centre, at)) }, hash),
      { maxLength: 40 },
    ),
  }),
);

function flipped(from: Uint8Array, at: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(from);
  for (const bit of at) copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function indexOf(hashes: readonly Uint8Array[]): HashIndex {
  return new HashIndex(Buffer.concat(hashes));
}

function bruteForce(hashes: readonly Uint8Array[], query: Uint8Array, within: number): Near | null {
  const all = hashes.map((each, index) => ({ index, distance: distance(each, query) }));
  const near = all.filter((each) => each.distance <= within);
  return near.sort((a, b) => a.distance - b.distance || a.index - b.index)[0] ?? null;
}

describe('the index', () => {
  it('finds what brute force finds, at every distance up to 31 and any up to 63', () => {
    fc.assert(
      fc.property(neighbourhood, fc.integer({ min: 32, max: MAX_DISTANCE }), (sample, far) => {
        const { query, hashes } = sample;
        const index = indexOf(hashes);
        for (const within of [...Array(32).keys(), far]) {
          expect(index.nearest(query, within)).toEqual(bruteForce(hashes, query, within));
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([15, 16, 31, 32, 47, 63])('finds a hash whose %i bits are spread evenly', (count) => {
    const query = new Uint8Array(32).fill(0xa5);
    const spread = Array.from({ length: count }, (_, i) => (i % 16) * 16 + Math.floor(i / 16));
    const index = indexOf([flipped(query, spread)]);
    expect(index.nearest(query, count)).toEqual({ index: 0, distance: count });
    expect(index.nearest(query, count - 1)).toBeNull();
  });

  it('gives back the bytes of each hash', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 20 }), (hashes) => {
        const index = indexOf(hashes);
        expect(hashes.map((_, i) => index.hashAt(i))).toEqual(hashes);
      }),
    );
  });

  it('of nothing finds nothing', () => {
    expect(indexOf([]).nearest(new Uint8Array(32), 31)).toBeNull();
  });
});
