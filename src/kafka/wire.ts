/** kafkajs' reading and writing of the protocol's types, for requests that it does not know. */
import { createRequire } from 'node:module';

export interface Encoder {
  /** Everything written so far. */
  readonly buffer: Buffer;
  writeInt32(value: number): Encoder;
  writeBuffer(bytes: Buffer): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
  writeUVarIntArray(array: readonly Encoder[], type: 'object'): Encoder;
}

/** Reads beyond the end throw RangeError. */
export interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readDouble(): number;
  readString(): string | null;
  readArray<T>(reader: (decoder: Decoder) => T): T[];
  readUVarIntString(): string | null;
  readUVarIntArray<T>(reader: (decoder: Decoder) => T): T[] | null;
  readTaggedFields(): unknown;
}

const require = createRequire(import.meta.url);
export const Encoder = require('kafkajs/src/protocol/encoder') as new () => Encoder;
export const Decoder = require('kafkajs/src/protocol/decoder') as new (data: Buffer) => Decoder;
