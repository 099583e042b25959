import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bitsSet, hammingDistance, pdqWords } from '../../src/hashes/hamming.ts';
import { flipBits } from '../support/inspected-images.ts';

const ZERO = '0'.repeat(64);
const words = (hex: string): Int32Array => pdqWords(hex) ?? new Int32Array();

describe('pdqWords', () => {
  it('reads 64 hex digits, most significant first', () => {
    const hash = 'f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22';
    expect(
      [...words(hash)].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(''),
    ).toBe(hash);
  });

  it.each(['', 'f8', 'x'.repeat(64), '0'.repeat(65), `${'0'.repeat(63)} `])(
    'refuses %j',
    (text) => {
      expect(pdqWords(text)).toBeNull();
    },
  );
});

describe('bitsSet', () => {
  it('counts as the binary digits do', () => {
    const ones = (word: number): number => (word >>> 0).toString(2).replaceAll('0', '').length;
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (a, b, c) => {
        expect(bitsSet(a, b, c)).toBe(ones(a) + ones(b) + ones(c));
      }),
    );
    expect(bitsSet(-1, -1, -1)).toBe(96);
  });
});

describe('hammingDistance', () => {
  it.each([0, 1, 31, 32, 33, 255, 256])('is %d when so many bits differ', (bits) => {
    expect(hammingDistance(words(ZERO), words(flipBits(ZERO, bits)))).toBe(bits);
  });
});
