import type { Header } from '../../events/types.generated.ts';
import type { KafkaRecord, RecordFault } from '../record.ts';
import type { BatchHeader } from './batch-header.ts';

/** What kafkajs makes of headers: those of one name folded into an array. */
export type FoldedHeaders = Record<string, Buffer | null | Array<Buffer | null>>;

/**
 * One record of a fetched batch. `offset`, `timestamp`, `headers` and `batchContext` are kafkajs' view of it, made
 * when asked for; everything else is ours.
 */
export class FetchedMessage {
  readonly position: number;
  /** Milliseconds since the epoch, within the range of a JavaScript date; -1: none. */
  readonly time: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In the order in which they were written; a name may repeat. */
  readonly headerList: Header[];
  /**
   * No event: a transaction's marker, a record of an aborted transaction, or a stand-in for offsets without a record.
   * It moves the position and is not handed out.
   */
  readonly isControlRecord: boolean;
  readonly fault: RecordFault | undefined;
  readonly #batch: BatchHeader;

  constructor(
    batch: BatchHeader,
    position: number,
    time: number,
    key: Buffer | null = null,
    value: Buffer | null = null,
    headers: Header[] = [],
    fault?: RecordFault,
    isControlRecord = false,
  ) {
    this.#batch = batch;
    this.position = position;
    this.time = time;
    this.key = key;
    this.value = value;
    this.headerList = headers;
    this.fault = fault;
    this.isControlRecord = isControlRecord;
  }

  get offset(): string {
    return String(this.position);
  }

  get timestamp(): string {
    return String(this.time);
  }

  /** Record attributes are unused in format 2. */
  get attributes(): number {
    return 0;
  }

  get magicByte(): number {
    return 2;
  }

  get headers(): FoldedHeaders {
    return foldHeaders(this.headerList);
  }

  get batchContext(): { producerId: string; inTransaction: boolean } {
    return { producerId: this.#batch.producerId, inTransaction: this.#batch.inTransaction };
  }
}

/** The record that a fetched message is. */
export function toKafkaRecord(
  topic: string,
  partition: number,
  message: FetchedMessage,
): KafkaRecord {
  return {
    topic,
    partition,
    offset: message.position,
    timestamp: message.time,
    key: message.key,
    value: message.value,
    headers: message.headerList,
    ...(message.fault && { fault: message.fault }),
  };
}

/** Without a prototype: `constructor` and `__proto__` are names like any other. */
function foldHeaders(headers: readonly Header[]): FoldedHeaders {
  const folded = Object.create(null) as FoldedHeaders;
  for (const { name, value } of headers) {
    const earlier = folded[name];
    if (earlier === undefined) folded[name] = value;
    else if (Array.isArray(earlier)) earlier.push(value);
    else folded[name] = [earlier, value];
  }
  return folded;
}
