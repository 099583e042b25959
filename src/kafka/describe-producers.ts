/**
 * The producers that write to partitions, and their open transactions (KIP-664, DescribeProducers v0), which kafkajs
 * does not know.
 */
import { createRequire } from 'node:module';
import { groupByTopic, type TopicPartition } from './by-topic.ts';
import type { Broker } from './cluster.ts';

/** A producer that has a transaction open in a partition. */
export interface OpenTransaction extends TopicPartition {
  producerId: string;
  producerEpoch: number;
  /** The offset of its first record there. */
  start: number;
}

/** What is used of kafkajs' Encoder. */
interface Encoder {
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
  writeUVarIntArray(array: readonly Encoder[], type: 'object'): Encoder;
  writeInt32(value: number): Encoder;
}

/** What is used of kafkajs' Decoder. */
interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readUVarIntString(): string | null;
  readUVarIntArray<T>(reader: (decoder: Decoder) => T): T[] | null;
  readTaggedFields(): unknown;
}

const require = createRequire(import.meta.url);
const EncoderClass = require('kafkajs/src/protocol/encoder') as new () => Encoder;
const DecoderClass = require('kafkajs/src/protocol/decoder') as new (data: Buffer) => Decoder;

const API_KEY = 61;
const NO_TAGS = 0;

/** The open transactions in partitions that `broker` leads. Throws what kafkajs throws; needs the right to read. */
export async function openTransactions(
  broker: Broker,
  partitions: readonly TopicPartition[],
): Promise<OpenTransaction[]> {
  return (await broker.connectionPool.send({
    request: {
      apiKey: API_KEY,
      apiVersion: 0,
      apiName: 'DescribeProducers',
      encode: () => encode(partitions),
    },
    response: { decode, parse: (decoded) => decoded },
  })) as OpenTransaction[];
}

/** Version 2 of the request header ends in tags, which kafkajs does not write. */
function encode(partitions: readonly TopicPartition[]): Encoder {
  const topics = groupByTopic(partitions, ({ partition }) =>
    new EncoderClass().writeInt32(partition),
  ).map(({ topic, partitions: indexes }) =>
    new EncoderClass()
      .writeUVarIntString(topic)
      .writeUVarIntArray(indexes, 'object')
      .writeUVarInt(NO_TAGS),
  );
  return new EncoderClass()
    .writeUVarInt(NO_TAGS)
    .writeUVarIntArray(topics, 'object')
    .writeUVarInt(NO_TAGS);
}

/** A partition that answers with an error is left out: others may know more. */
function decode(data: Buffer): OpenTransaction[] {
  const decoder = new DecoderClass(data);
  decoder.readTaggedFields(); // of the header
  decoder.readInt32(); // throttle time
  const topics = decoder.readUVarIntArray((each) => {
    const topic = each.readUVarIntString() ?? '';
    const partitions = each.readUVarIntArray((answer) => partitionOf(answer, topic)) ?? [];
    each.readTaggedFields();
    return partitions.flat();
  });
  return (topics ?? []).flat();
}

function partitionOf(answer: Decoder, topic: string): OpenTransaction[] {
  const partition = answer.readInt32();
  answer.readInt16(); // error code: then there are no producers
  answer.readUVarIntString(); // error message
  const producers = answer.readUVarIntArray((each) => {
    const producerId = each.readInt64().toString();
    const producerEpoch = each.readInt32();
    each.readInt32(); // last sequence
    each.readInt64(); // last timestamp
    each.readInt32(); // coordinator epoch
    const start = Number(each.readInt64().toString());
    each.readTaggedFields();
    return { topic, partition, producerId, producerEpoch, start };
  });
  answer.readTaggedFields();
  return (producers ?? []).filter(({ start }) => start >= 0);
}
