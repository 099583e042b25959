import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** CRC-32C (Castagnoli), as record batches have it; RFC 3720, appendix B.4. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});
/** Of a record batch: the checksum's place, and where what it covers begins. */
const CRC_AT = 17;
const COVERED_FROM = 21;

/** Writes the checksum that the batch's bytes demand. */
export function seal(batch: Buffer): Buffer {
  let crc = 0xffffffff;
  for (let at = COVERED_FROM; at < batch.length; at += 1) {
    crc = (CRC_TABLE[(crc ^ (batch[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  batch.writeUInt32BE((crc ^ 0xffffffff) >>> 0, CRC_AT);
  return batch;
}

export interface Produced {
  /** 0: it was appended; https://kafka.apache.org/protocol#protocol_error_codes */
  errorCode: number;
  baseOffset: number;
}

const PRODUCE = 0;
const VERSION = 7;
const TIMEOUT_MS = 60_000;

/** Sends record batches as they are, one after the other: no client would write most of them. */
export class RawProducer {
  readonly #socket: Socket;
  readonly #topic: Buffer;
  #correlation = 0;
  #received: Buffer[] = [];
  #awaited: PromiseWithResolvers<Buffer> | undefined;

  private constructor(socket: Socket, topic: string) {
    this.#socket = socket;
    this.#topic = Buffer.from(topic);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const end = (error?: Error): void =>
      this.#awaited?.reject(error ?? new Error('the broker closed the connection'));
    socket.on('error', end).on('close', () => end());
    socket.setTimeout(TIMEOUT_MS, () => {
      if (this.#awaited) socket.destroy(new Error('the broker does not answer'));
    });
  }

  static async connect(broker: string, topic: string): Promise<RawProducer> {
    const [host = '', port] = broker.split(':');
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    return new RawProducer(socket, topic);
  }

  /** Produce, version 7; https://kafka.apache.org/protocol#The_Messages_Produce */
  async send(partition: number, batch: Buffer): Promise<Produced> {
    this.#correlation += 1;
    const head = [
      int(2, PRODUCE),
      int(2, VERSION),
      int(4, this.#correlation),
      int(2, -1), // no client id
      int(2, -1), // no transactional id
      int(2, -1), // acks
      int(4, TIMEOUT_MS),
      int(4, 1),
      int(2, this.#topic.length),
      this.#topic,
      int(4, 1),
      int(4, partition),
      int(4, batch.length),
    ];
    const length = head.reduce((sum, part) => sum + part.length, batch.length);
    const answer = Promise.withResolvers<Buffer>();
    this.#awaited = answer;
    this.#socket.write(Buffer.concat([int(4, length), ...head]));
    this.#socket.write(batch);
    const response = await answer.promise;
    // Size, correlation id, one topic with its name, one partition with its number.
    const at = 4 + 4 + 4 + 2 + this.#topic.length + 4 + 4;
    return {
      errorCode: response.readInt16BE(at),
      baseOffset: Number(response.readBigInt64BE(at + 2)),
    };
  }

  close(): void {
    this.#awaited = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    const all = Buffer.concat(this.#received);
    if (all.length < 4 || all.length < 4 + all.readInt32BE(0)) return;
    this.#received = [];
    this.#awaited?.resolve(all);
    this.#awaited = undefined;
  }
}

function int(bytes: 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}
