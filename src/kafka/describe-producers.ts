/**
 * The producers that write to partitions, and their open transactions (KIP-664, DescribeProducers v0), which kafkajs
 * does not know.
 */
import { groupByTopic, type TopicPartition } from './by-topic.ts';
import { askRaw, type Broker } from './cluster.ts';
import { Decoder, Encoder } from './wire.ts';

/** A producer that has a transaction open in a partition. */
export interface OpenTransaction extends TopicPartition {
  producerId: string;
  /** The offset of its first record there. */
  start: number;
}

const API_KEY = 61;
const NO_TAGS = 0;

/** The open transactions in partitions that `broker` leads. Throws what kafkajs throws; needs the right to read. */
export async function openTransactions(
  broker: Broker,
  partitions: readonly TopicPartition[],
): Promise<OpenTransaction[]> {
  const body = encode(partitions);
  const request = { apiKey: API_KEY, apiName: 'DescribeProducers', apiVersion: 0, body };
  return decode(await askRaw(broker, request));
}

/** Version 2 of the request header ends in tags, which kafkajs does not write. */
function encode(partitions: readonly TopicPartition[]): Buffer {
  const topics = groupByTopic(partitions, ({ partition }) =>
    new Encoder().writeInt32(partition),
  ).map(({ topic, partitions: indexes }) =>
    new Encoder()
      .writeUVarIntString(topic)
      .writeUVarIntArray(indexes, 'object')
      .writeUVarInt(NO_TAGS),
  );
  return new Encoder()
    .writeUVarInt(NO_TAGS)
    .writeUVarIntArray(topics, 'object')
    .writeUVarInt(NO_TAGS).buffer;
}

/** A partition that answers with an error is left out: others may know more. */
function decode(data: Buffer): OpenTransaction[] {
  const decoder = new Decoder(data);
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
    each.readInt32(); // producer epoch
    each.readInt32(); // last sequence
    each.readInt64(); // last timestamp
    each.readInt32(); // coordinator epoch
    const start = Number(each.readInt64().toString());
    each.readTaggedFields();
    return { topic, partition, producerId, start };
  });
  answer.readTaggedFields();
  return (producers ?? []).filter(({ start }) => start >= 0);
}
