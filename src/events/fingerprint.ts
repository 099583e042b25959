import avsc from 'avsc';

/** The fingerprint of the empty text, and the table's polynomial. */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = BigUint64Array.from({ length: 256 }, (_, byte) => {
  let entry = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) entry = (entry >> 1n) ^ (entry & 1n ? EMPTY : 0n);
  return entry;
});

/**
 * CRC-64-AVRO, the 64-bit Rabin fingerprint of the Avro specification ("Schema Fingerprints").
 * avsc offers only what node:crypto does.
 */
export function crc64Avro(bytes: Uint8Array): bigint {
  let crc = EMPTY;
  for (const byte of bytes) crc = (crc >> 8n) ^ (TABLE[Number((crc ^ BigInt(byte)) & 0xffn)] ?? 0n);
  return crc;
}

/** A schema's fingerprint as single-object encoding writes it: 8 bytes, little-endian, of its canonical form. */
export function schemaFingerprint(type: avsc.Type): Buffer {
  const fingerprint = Buffer.alloc(8);
  // avsc's `schema()` without attributes is the specification's parsing canonical form.
  fingerprint.writeBigUInt64LE(crc64Avro(Buffer.from(JSON.stringify(type.schema()))));
  return fingerprint;
}

/** The fingerprint of a schema in JSON. Defaults take no part in it, and avsc refuses some that others accept. */
export function textFingerprint(text: string): Buffer {
  const schema = JSON.parse(text, (key, value: unknown) =>
    key === 'default' ? undefined : value,
  ) as avsc.Schema;
  return schemaFingerprint(avsc.Type.forSchema(schema, { omitRecordMethods: true }));
}
