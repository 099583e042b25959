import { messageOf } from '../../errors.ts';
import type { RecordFault } from '../record.ts';
import type { BatchHeader } from './batch-header.ts';
import { ByteReader, MalformedBytesError } from './byte-reader.ts';
import { CODEC_NAMES, expand, ExpandsTooFarError } from './expand.ts';
import { FetchedMessage } from './fetched-message.ts';
import type { FetchLimits } from './limits.ts';
import { readRecord } from './read-record.ts';

/** A batch whose records can be read one at a time. */
export interface RecordBatch {
  header: BatchHeader;
  /** The records, decompressed; a fault when that is impossible; undefined when none of them is to be handed out. */
  records: Buffer | RecordFault | undefined;
}

/** Decompresses the records of a batch. What is wrong with them becomes a fault. */
export async function openBatch(
  header: BatchHeader,
  compressed: Buffer,
  { maxBatchBytes }: FetchLimits,
): Promise<Buffer | RecordFault> {
  if (header.contradiction !== undefined) return corrupt(header, header.contradiction);
  if (header.recordCount === 0) return Buffer.alloc(0);
  try {
    return await expand(header.codec, compressed, maxBatchBytes);
  } catch (error) {
    if (!(error instanceof ExpandsTooFarError)) return corrupt(header, messageOf(error));
    return {
      code: 'event_batch_too_large',
      message: `reading ${describe(header)}: its ${compressed.length} bytes expand to more than ${maxBatchBytes}; publish in smaller batches`,
    };
  }
}

/**
 * The messages of a batch in the order of their offsets. What is sound is delivered; from the first record that is not,
 * every offset of the batch gives a message with a fault. One control message stands for offsets at the end of the
 * batch that have no record, so that the last message always has the last offset. Messages are made as they are asked
 * for: a batch of a few bytes may have millions.
 */
export function* messagesOf(
  { header, records }: RecordBatch,
  limits: FetchLimits,
): Generator<FetchedMessage, void> {
  if (records === undefined) {
    yield placeholder(header);
  } else if (Buffer.isBuffer(records)) {
    yield* soundMessages(header, records, limits);
  } else {
    yield* faultyMessages(header, header.baseOffset, records);
  }
}

function* soundMessages(
  header: BatchHeader,
  records: Buffer,
  limits: FetchLimits,
): Generator<FetchedMessage, void> {
  const reader = new ByteReader(records);
  let last = header.baseOffset - 1;
  for (let read = 0; read < header.recordCount; read += 1) {
    const message = attempt(() => readRecord(reader, header, last, limits));
    if (message instanceof MalformedBytesError) {
      yield* faultyMessages(header, last + 1, corrupt(header, message.message));
      return;
    }
    last = message.position;
    yield message;
  }
  if (last === header.lastOffset) return;
  if (reader.remaining > 0) {
    const reason = `${reader.remaining} bytes follow its ${header.recordCount} records`;
    yield* faultyMessages(header, last + 1, corrupt(header, reason));
  } else {
    yield placeholder(header);
  }
}

function* faultyMessages(
  header: BatchHeader,
  from: number,
  fault: RecordFault,
): Generator<FetchedMessage, void> {
  const time = header.appendTimestamp ?? header.baseTimestamp;
  for (let offset = from; offset <= header.lastOffset; offset += 1) {
    yield new FetchedMessage(header, offset, time, null, null, undefined, fault);
  }
}

function placeholder(header: BatchHeader): FetchedMessage {
  const time = header.appendTimestamp ?? header.baseTimestamp;
  return new FetchedMessage(
    header,
    header.lastOffset,
    time,
    null,
    null,
    undefined,
    undefined,
    true,
  );
}

function attempt(read: () => FetchedMessage): FetchedMessage | MalformedBytesError {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedBytesError) return error;
    throw error;
  }
}

/** The fault of every record of a batch that cannot be read. */
export function corrupt(header: BatchHeader, reason: string): RecordFault {
  return {
    code: 'event_batch_corrupt',
    message: `reading ${describe(header)}: ${reason}; the batch is damaged or its publisher writes it wrongly`,
  };
}

function describe({ baseOffset, lastOffset, codec }: BatchHeader): string {
  return `the batch of offsets ${baseOffset} to ${lastOffset} (codec ${CODEC_NAMES[codec] ?? codec})`;
}
