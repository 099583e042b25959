import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Everything that is drawn for one case; the same numbers in the same order for the same seed and case. */
export class Dice {
  readonly #generator;

  constructor(seed: number, number = 0) {
    // Neighbouring numbers must not begin alike: Knuth's multiplicative hash, and MurmurHash3's finalizer.
    let hash = Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
    this.#generator = xoroshiro128plus(hash ^ (hash >>> 13));
  }

  /** From `from` to `to`, both included. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, Math.max(from, to));
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.int(1, times) === 1;
  }

  /** Throws RangeError when there is nothing to pick from. */
  pick<T>(of: readonly T[]): T {
    if (of.length === 0) throw new RangeError('nothing to pick from');
    return of[this.int(0, of.length - 1)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(0, 255)));
  }
}
