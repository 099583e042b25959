import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hammingDistance, PDQ_WORDS } from '../../src/hashes/hamming.ts';
import { NearIndex } from '../../src/cache/near-index.ts';

/** Few bits in use, so that neighbours are common. */
const hash = fc
  .tuple(fc.nat(7), fc.nat(7), fc.nat(0xff))
  .map(([at, other, bits]) =>
    Int32Array.from({ length: PDQ_WORDS }, (_, i) => (i === at || i === other ? bits : 0)),
  );
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');

describe('NearIndex', () => {
  it('finds what a comparison with every hash finds, through additions, replacements and removals', () => {
    const command = fc.oneof(
      fc.record({ op: fc.constant('add' as const), key, hash }),
      fc.record({ op: fc.constant('remove' as const), key, hash }),
      fc.record({ op: fc.constant('ask' as const), key, hash, within: fc.nat(12) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const index = new NearIndex();
        const model = new Map<string, Int32Array>();
        for (const each of commands) {
          if (each.op === 'add') {
            index.add(each.key, each.hash);
            model.set(each.key, each.hash);
          } else if (each.op === 'remove') {
            index.remove(each.key);
            model.delete(each.key);
          } else {
            const distances = [...model.values()].map((kept) => hammingDistance(kept, each.hash));
            const least = Math.min(...distances);
            const found = index.nearest(each.hash, each.within);
            expect(found?.distance ?? null).toBe(least <= each.within ? least : null);
            if (found) {
              const kept = model.get(found.key) ?? new Int32Array();
              expect(hammingDistance(kept, each.hash)).toBe(found.distance);
            }
          }
          expect(index.size).toBe(model.size);
        }
      }),
    );
  });

  it('grows beyond its first capacity', () => {
    const index = new NearIndex();
    const at = (i: number): Int32Array =>
      Int32Array.from({ length: PDQ_WORDS }, () => i * 0x9e3779b1);
    for (let i = 0; i < 5_000; i++) index.add(String(i), at(i));
    expect(index.nearest(at(4_321), 0)).toEqual({ key: '4321', distance: 0 });
    expect(index.nearest(at(1), 0)).toEqual({ key: '1', distance: 0 });
  });
});
