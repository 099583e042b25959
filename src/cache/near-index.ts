import { bitsSet, PDQ_WORDS, type PdqWords } from '../hashes/hamming.ts';

export interface Neighbour {
  key: string;
  /** Bits in which the hashes differ. */
  distance: number;
}

const FIRST_CAPACITY = 1024;

/**
 * The nearest of many PDQ hashes by Hamming distance. A scan of one flat array: hashes of different pictures differ
 * in about half of their bits, so nearly all of them are passed over after three or six of their eight words.
 */
export class NearIndex {
  #words = new Int32Array(FIRST_CAPACITY * PDQ_WORDS);
  /** The key of each slot; slots are dense. */
  readonly #keys: string[] = [];
  readonly #slots = new Map<string, number>();

  get size(): number {
    return this.#keys.length;
  }

  /** Replaces the key's former hash. */
  add(key: string, hash: PdqWords): void {
    const slot = this.#slots.get(key) ?? this.#keys.length;
    if (slot * PDQ_WORDS === this.#words.length) {
      const grown = new Int32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words.set(hash, slot * PDQ_WORDS);
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
  }

  /** The last slot moves into the one that becomes free. */
  remove(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    const last = this.#keys.pop();
    if (last === undefined || last === key) return;
    const from = this.#keys.length * PDQ_WORDS;
    this.#words.copyWithin(slot * PDQ_WORDS, from, from + PDQ_WORDS);
    this.#keys[slot] = last;
    this.#slots.set(last, slot);
  }

  /** The key whose hash differs in the fewest bits, `within` at most; null when there is none. */
  nearest(hash: PdqWords, within: number): Neighbour | null {
    const words = this.#words;
    const end = this.#keys.length * PDQ_WORDS;
    const differing = (slot: number, word: number): number =>
      (words[slot + word] as number) ^ (hash[word] as number);
    let best = within + 1;
    let found = -1;
    for (let at = 0; at < end; at += PDQ_WORDS) {
      let distance = bitsSet(differing(at, 0), differing(at, 1), differing(at, 2));
      if (distance >= best) continue;
      distance += bitsSet(differing(at, 3), differing(at, 4), differing(at, 5));
      if (distance >= best) continue;
      distance += bitsSet(differing(at, 6), differing(at, 7), 0);
      if (distance >= best) continue;
      best = distance;
      found = at / PDQ_WORDS;
    }
    const key = this.#keys[found];
    return key === undefined ? null : { key, distance: best };
  }
}
