import { int16, int32, RawConnection, string } from './raw-connection.ts';

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
  readonly #connection: RawConnection;
  readonly #topic: string;

  private constructor(connection: RawConnection, topic: string) {
    this.#connection = connection;
    this.#topic = topic;
  }

  static async connect(broker: string, topic: string): Promise<RawProducer> {
    return new RawProducer(await RawConnection.open(broker), topic);
  }

  /** Produce, version 7; https://kafka.apache.org/protocol#The_Messages_Produce */
  async send(partition: number, batch: Buffer): Promise<Produced> {
    const topic = string(this.#topic);
    const answer = await this.#connection.request(PRODUCE, VERSION, [
      int16(-1), // no transactional id
      int16(-1), // acks
      int32(TIMEOUT_MS),
      int32(1),
      topic,
      int32(1),
      int32(partition),
      int32(batch.length),
      batch,
    ]);
    // One topic with its name, one partition with its number.
    const at = 4 + topic.length + 4 + 4;
    return {
      errorCode: answer.readInt16BE(at),
      baseOffset: Number(answer.readBigInt64BE(at + 2)),
    };
  }

  close(): void {
    this.#connection.close();
  }
}
