import { MAX_DEPTH } from './limits.ts';

/**
 * A position in an Avro body, and what is left of the work it may cause. Every read checks its bounds: block counts
 * and lengths are a stranger's claims, and items of no bytes (nulls, empty records) can be claimed by the billion.
 * Throws Error for what is no valid body.
 */
export class AvroCursor {
  readonly #bytes: Buffer;
  #at = 0;
  #depth = 0;
  #valuesLeft: number;
  readonly #maxValues: number;

  /** @param maxValues - fields and items that the body may hold, known to us or not */
  constructor(bytes: Buffer, maxValues: number) {
    this.#bytes = bytes;
    this.#maxValues = maxValues;
    this.#valuesLeft = maxValues;
  }

  get at(): number {
    return this.#at;
  }

  /** Values counted so far. */
  get values(): number {
    return this.#maxValues - this.#valuesLeft;
  }

  /** Counts `values` fields or items before they are read. */
  spend(values: number): void {
    this.#valuesLeft -= values;
    if (this.#valuesLeft < 0) throw new Error(`more than ${this.#maxValues} values`);
  }

  enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new Error(`nested deeper than ${MAX_DEPTH} levels`);
  }

  leave(): void {
    this.#depth--;
  }

  /** The next `length` bytes, shared with the body. */
  take(length: number): Buffer {
    const from = this.#at;
    this.advance(length);
    return this.#bytes.subarray(from, this.#at);
  }

  advance(length: number): void {
    const left = this.#bytes.length - this.#at;
    if (length < 0 || length > left) {
      throw new Error(`a length of ${length} where ${left} bytes are left`);
    }
    this.#at += length;
  }

  /** Bytes or a string: a length, then as many bytes. */
  takeSized(): Buffer {
    return this.take(this.long());
  }

  /** UTF-8; what is none becomes U+FFFD. */
  text(): string {
    const length = this.long();
    const from = this.#at;
    this.advance(length);
    return this.#bytes.toString('utf8', from, this.#at);
  }

  boolean(): boolean {
    const [byte] = this.take(1);
    return byte !== 0;
  }

  float(): number {
    return this.take(4).readFloatLE();
  }

  double(): number {
    return this.take(8).readDoubleLE();
  }

  /** A zigzag variable-length integer, exact within ±2^52; `integer` is exact everywhere. */
  long(): number {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < 10; read++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('ends within a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
      scale *= 128;
    }
    throw new Error('a number longer than 64 bits');
  }

  /** The integer as it was written: a number within ±2^52, a bigint beyond, which costs more to read. */
  integer(): number | bigint {
    const from = this.#at;
    const value = this.long();
    if (Math.abs(value) < 2 ** 52) return value;
    this.#at = from;
    return this.#bigLong();
  }

  #bigLong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('ends within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw new Error('a number longer than 64 bits');
  }

  /**
   * The blocks of an array or a map (Avro specification, "Arrays"). `onItem` reads one item. Items are counted;
   * where `mayJump`, blocks that say their size are passed over without a look at their items.
   */
  blocks(onItem: (index: number) => void, mayJump = false): void {
    let index = 0;
    for (let count = this.long(); count !== 0; count = this.long()) {
      this.spend(1);
      const size = count < 0 ? this.long() : null;
      if (size !== null && mayJump) {
        this.advance(size);
        continue;
      }
      const start = this.#at;
      for (let left = Math.abs(count); left > 0; left--) {
        this.spend(1);
        onItem(index++);
      }
      if (size !== null && this.#at !== start + size) {
        throw new Error(`a block of ${this.#at - start} bytes claims to have ${size}`);
      }
    }
  }

  /** Throws unless everything was read. */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new Error(`${left} bytes too many after its last field`);
  }
}
