/**
 * What kafkajs can do: reads a topic and writes a record for each of its records, with the acknowledgements and the
 * size of requests of the service. Nothing is looked at, and one request follows the other.
 */
import { once } from 'node:events';
import { createKafka } from '../../src/kafka/client.ts';
import { configSchema } from '../../src/config-schema.ts';
import { createLogger } from '../../src/logger.ts';

export interface LoopSettings {
  brokers: readonly string[];
  groupId: string;
  input: string;
  output: string;
  /** Of each record written: about those of a verdict, headers included. */
  bytes: number;
}

/** As many records of a verdict's size as the service puts into a request. */
const REQUEST_BYTES = 900_000;

const { brokers, groupId, input, output, bytes } = JSON.parse(
  process.argv[2] ?? '{}',
) as LoopSettings;
const value = Buffer.alloc(bytes, 'a verdict of this size ');
const perRequest = Math.max(1, Math.floor(REQUEST_BYTES / bytes));

const kafka = createKafka(
  configSchema.shape.kafka.parse({ brokers }),
  {},
  createLogger({ level: 'error', to: 'stderr' }),
);
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
const consumer = kafka.consumer({ groupId, maxBytesPerPartition: 1 << 20, maxBytes: 8 << 20 });
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topics: [input], fromBeginning: true });
await consumer.run({
  autoCommitInterval: 1_000,
  eachBatch: async (payload) => {
    const { messages } = payload.batch;
    for (let at = 0; at < messages.length; at += perRequest) {
      const some = messages.slice(at, at + perRequest);
      await producer.send({ topic: output, messages: some.map(({ key }) => ({ key, value })) });
      payload.resolveOffset(some.at(-1)?.offset ?? '');
      await payload.commitOffsetsIfNecessary();
      await payload.heartbeat();
    }
  },
});
await once(process, 'SIGTERM');
await consumer.disconnect();
await producer.disconnect();
