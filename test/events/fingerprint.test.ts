import { describe, expect, it } from '@jest/globals';
import { crc64Avro, schemaFingerprint } from '../../src/events/fingerprint.ts';
import {
  DEAD_LETTER,
  EMBEDDING,
  IMAGE_EVENT,
  VERDICT,
  parseSchema,
} from '../../src/events/schemas.ts';

describe('CRC-64-AVRO', () => {
  // From the Avro project's own test data, share/test/data/schema-tests.txt.
  it.each([
    ['"null"', 7195948357588979594n],
    ['"boolean"', -6970731678124411036n],
    ['"int"', 8247732601305521295n],
    ['"long"', -3434872931120570953n],
    ['"float"', 5583340709985441680n],
    ['"double"', -8181574048448539266n],
    ['"bytes"', 5746618253357095269n],
    ['"string"', -8142146995180207161n],
    ['[]', -1241056759729112623n],
    ['["int"]', -5232228896498058493n],
    ['["int","boolean"]', 5392556393470105090n],
    ['{"name":"foo","type":"record","fields":[]}', -4824392279771201922n],
  ])('gives %s its published fingerprint', (canonical, published) => {
    expect(BigInt.asIntN(64, crc64Avro(Buffer.from(canonical)))).toBe(published);
  });

  it('has the polynomial as the fingerprint of nothing', () => {
    expect(crc64Avro(Buffer.alloc(0))).toBe(0xc15d213aa4d7a795n);
  });
});

describe('schemaFingerprint', () => {
  // From the same files: the embedding's, the image event's and the verdict's by fastavro, the others by a Python program that
  // follows the specification.
  it.each([
    ['dead letter', DEAD_LETTER, '5ec31a64c905f85a'],
    ['embedding', EMBEDDING, '2d408adb2c94faf5'],
    ['image event', IMAGE_EVENT, 'd36c712e0bf17e5d'],
    ['verdict', VERDICT, 'cf1a07b705c3c545'],
  ])('of the %s is what other implementations write', (_, type, bytes) => {
    expect(schemaFingerprint(type).toString('hex')).toBe(bytes);
  });

  it('does not depend on documentation, defaults or layout', () => {
    const bare = parseSchema('{"type":"record","name":"A","fields":[{"name":"b","type":"int"}]}');
    const dressed = parseSchema(
      '{ "name": "A", "doc": "x", "fields": [{ "default": 1, "type": "int", "name": "b", "doc": "y" }], "type": "record" }',
    );
    expect(schemaFingerprint(dressed)).toEqual(schemaFingerprint(bare));
  });
});
