/** A KafkaVerdictSink with topics of its own, and a look at what it wrote. */
import type { Kafka } from 'kafkajs';
import { systemClock } from '../../src/clock.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { createMessageDecoder } from '../../src/events/message-decoder.ts';
import { CONTRACTS, type Contract } from '../../src/events/schemas.ts';
import type { DeadLetter, Embedding, Header, Verdict } from '../../src/events/types.generated.ts';
import { noLogger } from '../../src/logger.ts';
import {
  createKafkaVerdictSink,
  type KafkaVerdictSinkOptions,
} from '../../src/producers/kafka-verdict-sink.ts';
import { createTopic, readAll, type ReadMessage } from './kafka.ts';
import type { SeenMessage, SinkUnderTest } from './verdict-sink-conformance.ts';

export interface KafkaSinkUnderTest extends SinkUnderTest {
  topics: { verdicts: string; deadLetters: string; embeddings: string; routes: object };
}

/** `sinksKafka` when the sink is to use another client than the one that creates and reads the topics. */
export async function createKafkaSink(
  kafka: Kafka,
  options: Partial<Omit<KafkaVerdictSinkOptions, 'kafka'>> & {
    partitions?: number;
    /** The verdict topic's max.message.bytes. */
    maxMessageBytes?: number;
  } = {},
  sinksKafka = kafka,
): Promise<KafkaSinkUnderTest> {
  const { partitions = 1, maxMessageBytes, ...overrides } = options;
  const limit = maxMessageBytes && { 'max.message.bytes': String(maxMessageBytes) };
  const topics = {
    verdicts: await createTopic(kafka, partitions, limit ? { config: limit } : {}),
    deadLetters: await createTopic(kafka, partitions),
    embeddings: await createTopic(kafka, partitions),
    routes: {},
  };
  const sink = createKafkaVerdictSink({
    kafka: sinksKafka,
    topics,
    encoder: createMessageEncoder({ format: 'json' }),
    lingerMs: 5,
    compression: 'none',
    clock: systemClock,
    logger: noLogger,
    ...overrides,
  });
  return {
    sink,
    topics,
    seen: async () => ({
      verdicts: await decodeAll<Verdict>(kafka, topics.verdicts, CONTRACTS.verdict),
      deadLetters: await decodeAll<DeadLetter>(kafka, topics.deadLetters, CONTRACTS.deadLetter),
      embeddings: await decodeAll<Embedding>(kafka, topics.embeddings, CONTRACTS.embedding),
    }),
  };
}

export async function decodeAll<T>(
  kafka: Kafka,
  topic: string,
  contract: Contract,
): Promise<Array<SeenMessage<T>>> {
  const decoder = createMessageDecoder<T>(contract, {});
  const messages = await readAll(kafka, topic);
  return Promise.all(
    messages.map(async ({ key, value, headers }) => ({
      key,
      headers: toHeaders(headers),
      content: await decoder.decode(value),
    })),
  );
}

function toHeaders(headers: ReadMessage['headers'] = {}): Header[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => ({
      name,
      value: value === undefined ? null : Buffer.from(value),
    })),
  );
}
