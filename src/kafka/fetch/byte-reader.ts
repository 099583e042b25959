/** The bytes do not say what their format demands. Never leaves the fetch decoder for a record batch. */
export class MalformedBytesError extends Error {
  override name = 'MalformedBytesError';
}

/**
 * Reads Kafka's primitive types (protocol guide, "Protocol Primitive Types") between a position and an end. Every
 * read is checked against the end and throws `MalformedBytesError` beyond it.
 */
export class ByteReader {
  readonly buffer: Buffer;
  position: number;
  end: number;

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  int16(): number {
    return this.buffer.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.#advance(4));
  }

  /** Exact, as digits. For ids and what a response says once; records use `varlong`. */
  int64(): string {
    return this.buffer.readBigInt64BE(this.#advance(8)).toString();
  }

  /** INT32 count of an array whose items take at least `itemBytes`; null counts as empty. */
  count(itemBytes: number): number {
    const count = this.int32();
    if (count > this.remaining / itemBytes) {
      throw new MalformedBytesError(`${count} items in ${this.remaining} bytes`);
    }
    return Math.max(0, count);
  }

  /** STRING: an INT16 length and as many bytes of UTF-8. */
  string(): string {
    const length = this.int16();
    const start = this.#advance(length);
    return this.buffer.toString('utf8', start, start + length);
  }

  /** VARINT: a zigzag number of 32 bits in at most 5 bytes. */
  varint(): number {
    let byte = this.#byte();
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw new MalformedBytesError('a varint of more than 5 bytes');
      byte = this.#byte();
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** VARLONG: a zigzag number of 64 bits in at most 10 bytes; exact below 2^52, rounded beyond. */
  varlong(): number {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < 10; read += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new MalformedBytesError('a varlong of more than 10 bytes');
  }

  /** A VARINT length and as many bytes, shared with the buffer; the length -1 is null. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length === -1) return null;
    const start = this.#advance(length);
    return this.buffer.subarray(start, start + length);
  }

  /** A VARINT length and as many bytes of UTF-8. */
  text(): string {
    const length = this.varint();
    const start = this.#advance(length);
    return this.buffer.toString('utf8', start, start + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** Where the next `length` bytes begin, which are then read. */
  #advance(length: number): number {
    const start = this.position;
    if (length < 0 || length > this.end - start) {
      throw new MalformedBytesError(`${length} bytes announced where ${this.end - start} are left`);
    }
    this.position = start + length;
    return start;
  }

  #byte(): number {
    if (this.position >= this.end) throw new MalformedBytesError('the bytes end inside a number');
    return this.buffer[this.position++] as number;
  }
}
