import { onesIn } from './hamming.ts';

/**
 * Near search over many PDQ hashes: multi-index hashing (Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with
 * Multi-Index Hashing", 2012). A hash is cut into 16 slots of 16 bits. Two hashes that differ in d bits differ in few
 * of them in at least one slot, so only those are compared that share a slot but for so many bits.
 */

/** Beyond this far more slots are nearly alike than are worth looking at, and pictures have nothing in common. */
export const MAX_DISTANCE = 63;

const BYTES = 32;
const WORDS = 8;
const SLOTS = 16;
const SLOT_BITS = 16;
const SLOT_VALUES = 1 << SLOT_BITS;

export interface Near {
  /** Which of the hashes. */
  index: number;
  /** In bits. */
  distance: number;
}

export class HashIndex {
  readonly size: number;
  /** `[size, 8]` words of 32 bits. */
  readonly #words: Uint32Array;
  /** Where each value of each slot begins in `#members`: `[16, 65536]`, and one for the end. */
  readonly #starts: Uint32Array;
  /** The hashes by slot and value, `[16, size]`. */
  readonly #members: Uint32Array;

  /** `hashes`: 32 bytes each, one behind the other. */
  constructor(hashes: Uint8Array) {
    this.size = hashes.length / BYTES;
    this.#words = wordsOf(hashes);
    this.#starts = new Uint32Array(SLOTS * SLOT_VALUES + 1);
    this.#members = new Uint32Array(SLOTS * this.size);
    this.#sort();
  }

  /** The bytes of a hash. */
  hashAt(index: number): Uint8Array {
    const words = this.#words.subarray(index * WORDS, (index + 1) * WORDS);
    return Uint8Array.from(
      { length: BYTES },
      (_, i) => (words[i >> 2] as number) >>> (24 - 8 * (i & 3)),
    );
  }

  /**
   * The nearest hash within `distance` bits, 63 at most; among equals the first. Null when there is none.
   */
  nearest(hash: Uint8Array, distance: number): Near | null {
    if (this.size === 0) return null;
    const query = wordsOf(hash);
    // Of 16 * r + a differing bits, one of the first a + 1 slots has r at most, or another r - 1.
    const [radius, last] = [Math.floor(distance / SLOTS), distance % SLOTS];
    let best: Near | null = null;
    for (let slot = 0; slot < SLOTS; slot++) {
      const value = slotOf(query, 0, slot);
      for (const mask of masksWithin(slot <= last ? radius : radius - 1)) {
        const cell = slot * SLOT_VALUES + (value ^ mask);
        const end = this.#starts[cell + 1] as number;
        for (let at = this.#starts[cell] as number; at < end; at++) {
          const index = this.#members[at] as number;
          const bits = this.#distance(index, query);
          if (bits > distance || (best !== null && !precedes(bits, index, best))) continue;
          best = { index, distance: bits };
        }
      }
    }
    return best;
  }

  /** Counting sort, slot by slot; within a cell by index. */
  #sort(): void {
    const starts = this.#starts;
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let i = 0; i < this.size; i++) {
        const cell = slot * SLOT_VALUES + slotOf(this.#words, i, slot);
        starts[cell] = (starts[cell] as number) + 1;
      }
    }
    let sum = 0;
    for (let cell = 0; cell < starts.length; cell++) starts[cell] = sum += starts[cell] as number;
    // From the end of each cell down to its beginning.
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let i = this.size - 1; i >= 0; i--) {
        const cell = slot * SLOT_VALUES + slotOf(this.#words, i, slot);
        const place = (starts[cell] as number) - 1;
        starts[cell] = place;
        this.#members[place] = i;
      }
    }
  }

  #distance(index: number, query: Uint32Array): number {
    const words = this.#words;
    const from = index * WORDS;
    let bits = 0;
    for (let i = 0; i < WORDS; i++) {
      bits += onesIn((words[from + i] as number) ^ (query[i] as number));
    }
    return bits;
  }
}

function precedes(distance: number, index: number, best: Near): boolean {
  return distance < best.distance || (distance === best.distance && index < best.index);
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Uint32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(4 * i);
  return words;
}

function slotOf(words: Uint32Array, index: number, slot: number): number {
  const word = words[index * WORDS + (slot >> 1)] as number;
  return slot % 2 === 0 ? word >>> SLOT_BITS : word & (SLOT_VALUES - 1);
}

const masks = new Map<number, Uint16Array>();

/** Every value of a slot with at most `radius` bits set; none when it is negative. */
function masksWithin(radius: number): Uint16Array {
  let within = masks.get(radius);
  if (within === undefined) {
    const values = Array.from({ length: SLOT_VALUES }, (_, value) => value);
    within = Uint16Array.from(values.filter((value) => onesIn(value) <= radius));
    masks.set(radius, within);
  }
  return within;
}
