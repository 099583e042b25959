import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Header } from '../../src/events/types.generated.ts';
import { kafkaHeaders, recordBytes } from '../../src/kafka/outgoing-message.ts';

interface Encoded {
  buffer: Buffer;
}
type EncodeRecord = (record: {
  key: Buffer | null;
  value: Buffer | null;
  headers: unknown;
}) => Encoded;

/** The function by which kafkajs encodes each record of a produce request. */
const encodeRecord = createRequire(import.meta.url)(
  'kafkajs/src/protocol/recordBatch/record/v0/index.js',
) as EncodeRecord;

/** Reads a record as the Kafka protocol defines it ("Record", version 2); throws when it ends too early or too late. */
function readRecord(buffer: Buffer): {
  key: Buffer | null;
  value: Buffer | null;
  headers: Header[];
} {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = buffer.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  const bytes = (): Buffer | null => {
    const length = varint();
    if (length < 0) return null;
    const found = buffer.subarray(at, at + length);
    expect(found).toHaveLength(length);
    at += length;
    return found;
  };
  const length = varint();
  expect(length).toBe(buffer.length - at);
  at += 1; // attributes
  varint(); // timestamp delta
  varint(); // offset delta
  const [key, value] = [bytes(), bytes()];
  const headers = Array.from({ length: varint() }, () => ({
    name: bytes()?.toString() ?? '',
    value: bytes(),
  }));
  expect(at).toBe(buffer.length);
  return { key, value, headers };
}

const written = (headers: readonly Header[]): Header[] =>
  readRecord(encodeRecord({ key: null, value: null, headers: kafkaHeaders(headers) }).buffer)
    .headers;

describe('the headers of an outgoing message', () => {
  it('are written under their own names, whatever these mean to JavaScript', () => {
    const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', 'length'];
    const headers = names.map((name) => ({ name, value: Buffer.from(`of ${name}`) }));
    expect(written(headers)).toEqual(headers);
  });

  it('keep their order: repeated names, names that look like integers, and null values', () => {
    const headers = [
      { name: 'b', value: Buffer.from('1') },
      { name: '7', value: null },
      { name: 'b', value: Buffer.alloc(0) },
      { name: '1', value: Buffer.from('2') },
      { name: '', value: Buffer.from('nameless') },
      { name: 'b', value: null },
    ];
    expect(written(headers)).toEqual(headers);
  });

  it('come back as they were, whatever they are, in a record that is never larger than it was counted', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const value = fc.option(bytes);
    const header = fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 100 }), value });
    fc.assert(
      fc.property(value, value, fc.array(header), (key, content, headers) => {
        const record = { key, value: content, headers: kafkaHeaders(headers) };
        const { buffer } = encodeRecord(record);
        expect(readRecord(buffer)).toEqual({ key, value: content, headers });
        expect(buffer.length).toBeLessThanOrEqual(recordBytes(key, content, headers));
      }),
    );
  });
});
