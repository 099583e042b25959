import type { IHeaders } from 'kafkajs';
import type { Header } from '../events/types.generated.ts';

/** A record's and a header's own lengths, offsets and flags, at most. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;

/** What a record takes in a request, uncompressed, in bytes; a little more than the truth. */
export function recordBytes(
  key: Buffer | null,
  value: Buffer | null,
  headers: readonly Header[],
): number {
  const headerBytes = headers.reduce(
    (sum, header) =>
      sum + Buffer.byteLength(header.name) + (header.value?.length ?? 0) + HEADER_OVERHEAD_BYTES,
    0,
  );
  return (value?.length ?? 0) + (key?.length ?? 0) + headerBytes + RECORD_OVERHEAD_BYTES;
}

/**
 * kafkajs takes headers by name, with an array where a name repeats, and fails on null values: those are
 * written as empty ones.
 */
export function kafkaHeaders(headers: readonly Header[]): IHeaders {
  const byName = new Map<string, Buffer[]>();
  for (const { name, value } of headers) {
    const values = byName.get(name) ?? [];
    values.push(value ?? Buffer.alloc(0));
    byName.set(name, values);
  }
  return Object.fromEntries(byName);
}
