import { createRequire } from 'node:module';
import type { IHeaders } from 'kafkajs';
import type { Header } from '../events/types.generated.ts';

/** One message on its way to one topic. */
export interface OutgoingMessage {
  topic: string;
  key: Buffer | null;
  /** Null writes a tombstone. */
  value: Buffer | null;
  /** Written in this order; a name may repeat, and a value may be null. */
  headers: readonly Header[];
  /** @default the partition that Kafka's default partitioner chooses for the key */
  partition?: number;
  /** The key that chooses the partition, where that is not the key of the message. */
  partitionKey?: Buffer;
}

/** Upper bounds of the lengths, offsets and flags of one record and of one header. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;

/** The size of a record in a request, uncompressed, in bytes; slightly more than the exact one. */
export function recordBytes(
  key: Buffer | null,
  value: Buffer | null,
  headers: readonly Header[],
): number {
  const headersTotal = headers.reduce((sum, header) => sum + headerBytes(header), 0);
  return (value?.length ?? 0) + (key?.length ?? 0) + headersTotal + RECORD_OVERHEAD_BYTES;
}

/** The size of a header in a record, in bytes; slightly more than the exact one. */
export function headerBytes({ name, value }: Header): number {
  return Buffer.byteLength(name) + (value?.length ?? 0) + HEADER_OVERHEAD_BYTES;
}

/** The size of all the messages in a request, as `recordBytes` counts it. */
export function totalBytes(messages: readonly OutgoingMessage[]): number {
  return messages.reduce(
    (sum, { key, value, headers }) => sum + recordBytes(key, value, headers),
    0,
  );
}

/** Stands for null in a header: kafkajs fails when it measures null, and this has the same size. */
const NULL = Buffer.alloc(0);

/**
 * Headers as kafkajs takes them, with nothing lost. kafkajs takes an object of names, which moves integer-like
 * names to the front and groups repeated ones. It maps over the values of each name; this one name answers with
 * all headers.
 */
export function kafkaHeaders(headers: readonly Header[]): IHeaders {
  writeNullHeaders();
  return { all: new HeaderList(headers) };
}

/** What the record encoder of kafkajs makes of the values of one name. */
interface EncodedHeader {
  key: string;
  value: Buffer;
}

class HeaderList extends Array<Buffer> {
  readonly #headers: readonly Header[];

  constructor(headers: readonly Header[]) {
    super();
    this.#headers = headers;
  }

  override map<U>(): U[] {
    return this.#headers.map(({ name, value }): EncodedHeader => {
      return { key: name, value: value ?? NULL };
    }) as U[];
  }
}

interface Encoder {
  prototype: {
    writeVarInt(this: Encoder['prototype'], value: number): unknown;
    writeVarIntBytes: (this: Encoder['prototype'], value: unknown) => unknown;
  };
}

let writesNullHeaders = false;

/** Makes the encoder of kafkajs write null where it is given `NULL`. Applied once for each process. */
function writeNullHeaders(): void {
  if (writesNullHeaders) return;
  writesNullHeaders = true;
  const { prototype } = createRequire(import.meta.url)(
    'kafkajs/src/protocol/encoder.js',
  ) as Encoder;
  const write = prototype.writeVarIntBytes;
  prototype.writeVarIntBytes = function (value) {
    return value === NULL ? this.writeVarInt(-1) : write.call(this, value);
  };
}
