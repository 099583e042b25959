import type { Header } from '../../events/types.generated.ts';
import type { RecordFault } from '../record.ts';
import { clampTime, type BatchHeader } from './batch-header.ts';
import { MalformedBytesError, type ByteReader } from './byte-reader.ts';
import { FetchedMessage } from './fetched-message.ts';
import {
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_KEPT_KEY_BYTES,
  MAX_OWN_HEADER_BYTES,
  OWN_HEADERS,
  type FetchLimits,
} from './limits.ts';

/**
 * Reads the next record of a batch (Kafka documentation, "Record"). Its key and value share the batch's memory.
 * Throws MalformedBytesError when the record does not fit into the batch or its offset does not follow `previous`.
 */
export function readRecord(
  reader: ByteReader,
  batch: BatchHeader,
  previous: number,
  limits: FetchLimits,
): FetchedMessage {
  const length = reader.varint();
  if (length < 0 || length > reader.remaining) {
    throw new MalformedBytesError(`a record of ${length} bytes where ${reader.remaining} are left`);
  }
  const batchEnd = reader.end;
  reader.end = reader.position + length;
  reader.skip(1); // attributes, unused
  const time = timeOf(batch, reader.varlong());
  const offset = batch.baseOffset + reader.varint();
  if (offset <= previous || offset > batch.lastOffset) {
    throw new MalformedBytesError(`offset ${offset} does not follow ${previous} in its batch`);
  }
  const key = reader.bytes();
  const value = reader.bytes();
  const { headers, fault } = readHeaders(reader);
  reader.position = reader.end;
  reader.end = batchEnd;
  const size = (key?.length ?? 0) + (value?.length ?? 0);
  if (size > limits.maxRecordBytes) return tooLarge(batch, offset, time, key, size, limits);
  return new FetchedMessage(batch, offset, time, key, value, headers, fault);
}

function timeOf(batch: BatchHeader, delta: number): number {
  return batch.appendTimestamp ?? clampTime(batch.baseTimestamp + delta);
}

function tooLarge(
  batch: BatchHeader,
  offset: number,
  time: number,
  key: Buffer | null,
  size: number,
  { maxRecordBytes }: FetchLimits,
): FetchedMessage {
  const kept = key && key.length <= MAX_KEPT_KEY_BYTES ? key : null;
  return new FetchedMessage(batch, offset, time, kept, null, undefined, {
    code: 'event_too_large',
    message: `reading the record: its key and value have ${size} bytes, and at most ${maxRecordBytes} are accepted; publish the image by reference`,
  });
}

/** Reads headers up to the bounds; the remaining ones are neither read nor checked. */
function readHeaders(reader: ByteReader): { headers: Header[]; fault?: RecordFault } {
  const count = reader.varint();
  if (count < 0) throw new MalformedBytesError(`${count} headers`);
  const headers: Header[] = [];
  const own = new Set<string>();
  let bytes = 0;
  for (let index = 0; index < count; index += 1) {
    const from = reader.position;
    const name = reader.text();
    const value = reader.bytes();
    const size = reader.position - from;
    if (OWN_HEADERS.has(name) && !own.has(name) && size <= MAX_OWN_HEADER_BYTES) own.add(name);
    else bytes += size;
    if (headers.length - own.size >= MAX_HEADERS || bytes > MAX_HEADER_BYTES) {
      return { headers, fault: headerFault(count) };
    }
    headers.push({ name, value });
  }
  if (reader.remaining > 0) {
    throw new MalformedBytesError(`${reader.remaining} bytes after the record's headers`);
  }
  return { headers };
}

function headerFault(count: number): RecordFault {
  return {
    code: 'event_headers_too_large',
    message: `reading the record: it has ${count} headers, and at most ${MAX_HEADERS} of together ${MAX_HEADER_BYTES} bytes are accepted; publish it with fewer or shorter headers`,
  };
}
