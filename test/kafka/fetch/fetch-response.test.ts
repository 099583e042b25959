import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { configSchema, type Config } from '../../../src/config-schema.ts';
import { createKafka } from '../../../src/kafka/client.ts';
import {
  decodeFetchResponse,
  type FetchResponse,
} from '../../../src/kafka/fetch/fetch-response.ts';
import { installFetchDecoder } from '../../../src/kafka/fetch/install.ts';
import { DEFAULT_LIMITS } from '../../../src/kafka/fetch/limits.ts';
import { noLogger } from '../../../src/logger.ts';
import { fetchResponse, recordBatch } from '../../support/record-batch.ts';
import { decode } from './decoding.ts';

const require = createRequire(import.meta.url);
const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];

interface Response {
  decode: (data: Buffer) => Promise<FetchResponse>;
  parse: (data: FetchResponse) => Promise<FetchResponse>;
}

const moduleOf = (version: number): Response =>
  require(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`) as Response;

/** kafkajs' own decoders, before any test replaces them. */
const theirs = new Map(VERSIONS.map((version) => [version, moduleOf(version).decode]));

async function sample(version: number): Promise<Buffer> {
  const value = Buffer.from('v');
  const batches = [
    await recordBatch({
      baseOffset: 5,
      records: [0, 1].map((offsetDelta) => ({ offsetDelta, value })),
    }),
    await recordBatch({ baseOffset: 7, records: [{ offsetDelta: 0 }] }),
  ];
  const aborted = [{ producerId: 1, firstOffset: 900 }];
  return fetchResponse(version, [{ batches, aborted }, { partition: 4 }]);
}

/** What kafkajs reads of a response, as plain objects. */
function plain(response: FetchResponse) {
  return {
    ...response,
    responses: response.responses.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map((partition) => ({
        partition: partition.partition,
        errorCode: partition.errorCode,
        highWatermark: partition.highWatermark,
        lastStableOffset: partition.lastStableOffset,
        lastStartOffset: partition.lastStartOffset,
        preferredReadReplica: partition.preferredReadReplica,
        messages: partition.messages.map(({ offset, timestamp, key, value }) => ({
          offset,
          timestamp,
          key,
          value,
        })),
      })),
    })),
  };
}

describe('a fetch response', () => {
  it.each(VERSIONS)('of version %i reads as kafkajs reads it', async (version) => {
    const data = await sample(version);
    const own = await theirs.get(version)?.(data);
    if (!own) throw new Error('kafkajs has no such version');
    const ours = await decodeFetchResponse(version, data, DEFAULT_LIMITS);
    expect(plain(ours)).toEqual(plain(own));
  });

  it.each(VERSIONS)(
    'of version %i is cut anywhere: kafka_unavailable, never a hang',
    async (version) => {
      const data = await sample(version);
      for (let length = 0; length < data.length; length += 1) {
        await expect(
          decodeFetchResponse(version, data.subarray(0, length), DEFAULT_LIMITS),
        ).rejects.toMatchObject({ code: 'kafka_unavailable' });
      }
    },
  );

  it('announcing more topics than it has bytes is refused before there is room for them', async () => {
    const data = await sample(11);
    data.writeInt32BE(2 ** 31 - 1, 10);
    await expect(decodeFetchResponse(11, data, DEFAULT_LIMITS)).rejects.toThrow(
      /2147483647 items in \d+ bytes/,
    );
  });
});

describe('installFetchDecoder', () => {
  it('replaces the decoder of every version, keeps limits given before, and passes kafkajs’ parse', async () => {
    installFetchDecoder({ maxRecordBytes: 1_000 });
    installFetchDecoder();
    const value = Buffer.alloc(1_001);
    const batch = await recordBatch({ records: [{ offsetDelta: 0, value }] });
    for (const version of VERSIONS) {
      const response = moduleOf(version);
      const decoded = await response.decode(fetchResponse(version, [{ batches: [batch] }]));
      const { responses } = await response.parse(decoded);
      expect(responses[0]?.partitions[0]?.messages[0]?.fault?.code).toBe('event_too_large');
    }
  });

  it('takes its limits from the configuration of the client', async () => {
    const brokers = ['127.0.0.1:1'];
    const config = (limits: object): Config['kafka'] =>
      configSchema.shape.kafka.parse({ brokers, ...limits });
    const value = Buffer.alloc(2_000);
    const batch = await recordBatch({ codec: 'gzip', records: [{ offsetDelta: 0, value }] });
    const faults = async (limits: object): Promise<unknown> => {
      createKafka(config(limits), {}, noLogger);
      const decoded = await moduleOf(11).decode(fetchResponse(11, [{ batches: [batch] }]));
      return decoded.responses[0]?.partitions[0]?.messages.map(({ fault }) => fault?.code);
    };
    expect(await faults({ maxRecordBytes: 1_000, maxBatchBytes: 1_000 })).toEqual([
      'event_batch_too_large',
    ]);
    expect(await faults({ maxRecordBytes: 1_000 })).toEqual(['event_too_large']);
    expect(await faults({})).toEqual([undefined]);
  });

  it('gives kafkajs’ own consumer what its batches read', async () => {
    const Batch = require('kafkajs/src/consumer/batch.js') as new (
      topic: string,
      offset: string,
      data: object,
    ) => { messages: Array<{ offset: string }>; lastOffset(): string };
    const batches = [
      await recordBatch({ baseOffset: 5, records: [0, 1].map((offsetDelta) => ({ offsetDelta })) }),
      await recordBatch({ baseOffset: 7, records: [], lastOffsetDelta: 3 }),
    ];
    const batch = new Batch('images', '6', await decode(batches));
    expect(batch.messages.map(({ offset }) => offset)).toEqual(['6']);
    expect(batch.lastOffset()).toBe('10');
  });
});
