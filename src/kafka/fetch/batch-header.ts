/** The header of a record batch of message format 2 (Kafka documentation, "Record Batch"). */
export interface BatchHeader {
  baseOffset: number;
  /** At least `baseOffset`. Compaction may have removed its record. */
  lastOffset: number;
  /** See `CODEC_NAMES`; 5 to 7 mean nothing. */
  codec: number;
  /** Milliseconds since the epoch, within the range of a JavaScript date; -1: none. */
  baseTimestamp: number;
  /** The broker's time of writing, which all records of the batch share; undefined: each has its publisher's. */
  appendTimestamp: number | undefined;
  producerId: string;
  inTransaction: boolean;
  isControlBatch: boolean;
  /** As announced: it may be wrong. */
  recordCount: number;
  /** Why the header cannot be right although the batch has an end. */
  contradiction?: string;
}

/** A batch of format 2 takes at least as many bytes; a shorter rest of a response is a batch cut short. */
export const HEADER_BYTES = 61;
/** What the length field does not count: the base offset and itself. */
const FRAME_BYTES = 12;
/** Bytes of the shortest message of formats 0 and 1, without its frame. */
const LEGACY_BYTES = 14;
/** The largest time of a JavaScript date, in ms. */
const MAX_TIME = 8.64e15;

const CODEC_BITS = 0x07;
const APPEND_TIME_BIT = 0x08;
const TRANSACTION_BIT = 0x10;
const CONTROL_BIT = 0x20;

/** Where a batch ends and what its header says; `broken`: where the next one begins is unknown. */
export type Framing =
  | { kind: 'batch'; header: BatchHeader; recordsAt: number; end: number }
  | { kind: 'old-format'; magic: number; header: BatchHeader; end: number }
  | { kind: 'partial' }
  | { kind: 'broken' };

/** Reads the header of the batch at `at`. */
export function readBatchHeader(bytes: Buffer, at: number): Framing {
  const remaining = bytes.length - at;
  if (remaining < FRAME_BYTES + 5) return { kind: 'partial' };
  const baseOffset = int64(bytes, at);
  const length = bytes.readInt32BE(at + 8);
  const magic = bytes.readInt8(at + 16);
  const shortest = magic === 2 ? HEADER_BYTES - FRAME_BYTES : LEGACY_BYTES;
  if (magic < 0 || magic > 2 || length < shortest || !isOffset(baseOffset)) {
    return { kind: 'broken' };
  }
  if (length > remaining - FRAME_BYTES) return { kind: 'partial' };
  const end = at + FRAME_BYTES + length;
  if (magic < 2) return { kind: 'old-format', magic, header: oldHeader(baseOffset), end };
  const delta = bytes.readInt32BE(at + 23);
  if (!isOffset(baseOffset + delta)) return { kind: 'broken' };
  const header = fields(bytes, at, baseOffset, delta);
  return { kind: 'batch', header, recordsAt: at + HEADER_BYTES, end };
}

function fields(bytes: Buffer, at: number, baseOffset: number, delta: number): BatchHeader {
  const attributes = bytes.readInt16BE(at + 21);
  const recordCount = bytes.readInt32BE(at + 57);
  const contradiction =
    delta < 0
      ? `its last offset is ${-delta} before its first`
      : recordCount < 0 || recordCount > delta + 1
        ? `it announces ${recordCount} records for ${delta + 1} offsets`
        : undefined;
  return {
    baseOffset,
    lastOffset: baseOffset + Math.max(0, delta),
    codec: attributes & CODEC_BITS,
    baseTimestamp: clampTime(int64(bytes, at + 27)),
    appendTimestamp: attributes & APPEND_TIME_BIT ? clampTime(int64(bytes, at + 35)) : undefined,
    producerId: bytes.readBigInt64BE(at + 43).toString(),
    inTransaction: (attributes & TRANSACTION_BIT) !== 0,
    isControlBatch: (attributes & CONTROL_BIT) !== 0,
    recordCount,
    ...(contradiction !== undefined && { contradiction }),
  };
}

/** A message of format 0 or 1 has one offset, that of its last record where it holds several. */
function oldHeader(offset: number): BatchHeader {
  return {
    baseOffset: offset,
    lastOffset: offset,
    codec: 0,
    baseTimestamp: -1,
    appendTimestamp: undefined,
    producerId: '-1',
    inTransaction: false,
    isControlBatch: false,
    recordCount: 1,
  };
}

/**
 * A timestamp as a date can hold it, ±8.64e15 ms: a publisher may write any 64 bits, and a record must not fail later
 * for a time that no date has. -1 stays: no timestamp.
 */
export function clampTime(milliseconds: number): number {
  return Math.min(MAX_TIME, Math.max(-MAX_TIME, milliseconds));
}

/** Rounded beyond 2^53, where an offset is refused and a timestamp clamped. */
function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

/** The position after an offset has to be a safe integer too. */
function isOffset(value: number): boolean {
  return value >= 0 && value < Number.MAX_SAFE_INTEGER;
}
