/** 32-bit words in a PDQ hash. */
export const PDQ_WORDS = 8;

/** A PDQ hash as 8 words of 32 bits, most significant first. */
export type PdqWords = Int32Array;

/** The words of a hash written as 64 hex digits; null for anything else. */
export function pdqWords(hex: string): PdqWords | null {
  if (!/^[0-9a-f]{64}$/i.test(hex)) return null;
  return Int32Array.from({ length: PDQ_WORDS }, (_, word) =>
    Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16),
  );
}

/** Bits in which two PDQ hashes differ: 0 to 256. */
export function hammingDistance(a: PdqWords, b: PdqWords): number {
  const differing = (word: number): number => (a[word] as number) ^ (b[word] as number);
  return (
    bitsSet(differing(0), differing(1), differing(2)) +
    bitsSet(differing(3), differing(4), differing(5)) +
    bitsSet(differing(6), differing(7), 0)
  );
}

/**
 * Bits set in three words of 32 bits, counted within the words (Warren, "Hacker's Delight", 2nd ed., 5-1). Three at
 * once, because that many counts of four bits, at most 4 each, can be added before one overflows.
 */
export function bitsSet(a: number, b: number, c: number): number {
  const fours = bitsInFours(a) + bitsInFours(b) + bitsInFours(c);
  const eights = (fours & 0x0f0f0f0f) + ((fours >>> 4) & 0x0f0f0f0f);
  return Math.imul(eights, 0x01010101) >>> 24;
}

function bitsInFours(word: number): number {
  const twos = word - ((word >>> 1) & 0x55555555);
  return (twos & 0x33333333) + ((twos >>> 2) & 0x33333333);
}

/** Bits set in a word of 32 bits (figure 5-2). */
export function onesIn(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
