/**
 * CPU time that decoding a fetch response takes, ours beside kafkajs': uncompressed and zstd batches of records with
 * three headers each. Both decode the same bytes in turn, in one process; ours also makes every record.
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import Table from 'cli-table3';
import kafkajs, { CompressionTypes } from 'kafkajs';
import { decodeFetchResponse } from '../src/kafka/fetch/fetch-response.ts';
import { toKafkaRecord } from '../src/kafka/fetch/fetched-message.ts';
import { DEFAULT_LIMITS } from '../src/kafka/fetch/limits.ts';
import { fetchResponse } from '../test/support/record-batch.ts';
import { machine } from './machine.ts';
import { spreadOf } from './statistics.ts';

interface Encoder {
  buffer: Buffer;
}
interface Module {
  decode: (data: Buffer) => Promise<{
    responses: Array<{ partitions: Array<{ messages: unknown[] }> }>;
  }>;
}

const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (options: object) => Promise<Encoder>;
};
const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  options: object,
) => Encoder;
const theirs = require('kafkajs/src/protocol/requests/fetch/v11/response.js') as Module;

const ROUNDS = 7;
/** Bytes that one round decodes at least. */
const ROUND_BYTES = 16 * 1024 * 1024;
const RESPONSE_BYTES = 8 * 1024 * 1024;
const BATCH_BYTES = 512 * 1024;

/** A response of version 11: one topic, one partition, full batches. */
async function response(valueBytes: number, compression: CompressionTypes) {
  const perBatch = Math.max(1, Math.floor(BATCH_BYTES / valueBytes));
  const batches: Buffer[] = [];
  for (let base = 0; base * valueBytes < RESPONSE_BYTES; base += perBatch) {
    batches.push(await batch(base, perBatch, valueBytes, compression));
  }
  return { data: fetchResponse(11, [{ batches }]), count: batches.length * perBatch };
}

async function batch(
  base: number,
  count: number,
  valueBytes: number,
  compression: CompressionTypes,
): Promise<Buffer> {
  const records = Array.from({ length: count }, (_, offsetDelta) =>
    Record({
      offsetDelta,
      timestampDelta: offsetDelta,
      key: Buffer.from(String(base + offsetDelta)),
      value: Buffer.from(randomBytes((valueBytes * 3) / 4).toString('base64')),
      headers: { 'content-type': 'application/json', traceparent: '00-0af7651916cd43dd', id: '7' },
    }),
  );
  const { buffer } = await RecordBatch({ compression, lastOffsetDelta: count - 1, records });
  buffer.writeBigInt64BE(BigInt(base), 0);
  return buffer;
}

async function decodeOurs(data: Buffer): Promise<number> {
  let count = 0;
  for (const { topicName, partitions } of (await decodeFetchResponse(11, data, DEFAULT_LIMITS))
    .responses) {
    for (const { partition, records } of partitions) {
      for (const message of records) {
        if (toKafkaRecord(topicName, partition, message).value) count += 1;
      }
    }
  }
  return count;
}

async function decodeTheirs(data: Buffer): Promise<number> {
  const { responses } = await theirs.decode(data);
  return responses.flatMap(({ partitions }) => partitions.flatMap(({ messages }) => messages))
    .length;
}

/** µs of CPU a record. */
async function cost(
  decode: (data: Buffer) => Promise<number>,
  { data, count }: { data: Buffer; count: number },
): Promise<number> {
  const repeats = Math.ceil(ROUND_BYTES / data.length);
  const before = process.cpuUsage();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const decoded = await decode(data);
    if (decoded !== count) throw new Error(`${decoded} of ${count} records were decoded`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (repeats * count);
}

kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: Encoder) => promisify(zstdCompress)(buffer),
  decompress: (buffer: Buffer) => promisify(zstdDecompress)(buffer),
});

const table = new Table({
  style: { head: [], border: [] },
  head: ['records', 'codec', 'kafkajs, µs CPU', 'ours, µs CPU', 'ours / kafkajs'],
});
for (const compression of [CompressionTypes.None, CompressionTypes.ZSTD]) {
  for (const valueBytes of [100, 1_000, 50_000]) {
    const sample = await response(valueBytes, compression);
    await cost(decodeTheirs, sample); // compiles
    await cost(decodeOurs, sample);
    const own: number[] = [];
    const old: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      old.push(await cost(decodeTheirs, sample));
      own.push(await cost(decodeOurs, sample));
    }
    const ratios = own.map((value, round) => value / (old[round] ?? NaN));
    const { min, median, max } = spreadOf(ratios);
    table.push([
      `${valueBytes} B`,
      compression === CompressionTypes.None ? 'none' : 'zstd',
      spreadOf(old).median.toFixed(2),
      spreadOf(own).median.toFixed(2),
      `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`,
    ]);
  }
}
const { cpu, cores, node, date } = machine();
console.log(`${cpu}, ${cores} cores, Node ${node}, ${date}\n${table.toString()}`);
