/** 32-bit words in a PDQ hash. */
export const PDQ_WORDS = 8;

/** The words of a PDQ hash written as 64 hex digits, most significant first; null for anything else. */
export function pdqWords(hex: string): Uint32Array | null {
  if (!/^[0-9a-f]{64}$/i.test(hex)) return null;
  return Uint32Array.from({ length: PDQ_WORDS }, (_, word) =>
    Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16),
  );
}

/** Bits set in a 32-bit word (Warren, "Hacker's Delight", 2nd ed., figure 5-2). */
export function bitsSet(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Bits in which two hashes of the same length differ: 0 to 256 for PDQ. */
export function hammingDistance(a: Uint32Array, b: Uint32Array): number {
  let distance = 0;
  for (let word = 0; word < a.length; word++) {
    distance += bitsSet((a[word] as number) ^ (b[word] as number));
  }
  return distance;
}
