import { bitsSet, PDQ_WORDS } from './hamming.ts';

export interface Neighbour {
  key: string;
  /** Bits in which the hashes differ. */
  distance: number;
}

const FIRST_CAPACITY = 1024;

/**
 * The nearest of many PDQ hashes by Hamming distance. A scan of one flat array: hashes of different pictures differ
 * in about half of their bits, so nearly all of them are passed over after two or three of their eight words.
 */
export class NearIndex {
  #words = new Uint32Array(FIRST_CAPACITY * PDQ_WORDS);
  /** The key of each slot; slots are dense. */
  readonly #keys: string[] = [];
  readonly #slots = new Map<string, number>();

  get size(): number {
    return this.#keys.length;
  }

  /** `hash` as `pdqWords` gives it; replaces the key's former hash. */
  add(key: string, hash: Uint32Array): void {
    const slot = this.#slots.get(key) ?? this.#keys.length;
    if (slot * PDQ_WORDS === this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words.set(hash, slot * PDQ_WORDS);
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
  }

  remove(key: string): void {
    const slot = this.#slots.get(key);
    const last = this.#keys.pop();
    if (slot === undefined || last === undefined) {
      if (last !== undefined) this.#keys.push(last);
      return;
    }
    this.#slots.delete(key);
    if (last === key) return;
    const from = this.#keys.length * PDQ_WORDS;
    this.#words.copyWithin(slot * PDQ_WORDS, from, from + PDQ_WORDS);
    this.#keys[slot] = last;
    this.#slots.set(last, slot);
  }

  /** The key whose hash differs in the fewest bits, `within` at most; null when there is none. */
  nearest(hash: Uint32Array, within: number): Neighbour | null {
    const words = this.#words;
    const end = this.#keys.length * PDQ_WORDS;
    let best = within + 1;
    let found = -1;
    for (let at = 0; at < end; at += PDQ_WORDS) {
      let distance = 0;
      for (let word = 0; word < PDQ_WORDS && distance < best; word++) {
        distance += bitsSet((words[at + word] as number) ^ (hash[word] as number));
      }
      if (distance < best) {
        best = distance;
        found = at / PDQ_WORDS;
        if (distance === 0) break;
      }
    }
    const key = this.#keys[found];
    return key === undefined ? null : { key, distance: best };
  }
}
