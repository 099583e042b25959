import { once } from 'node:events';
import type { KafkaClient } from '../kafka/client.ts';
import { createVerdictDecoder } from '../events/index.ts';
import type { SchemaRegistry } from '../events/schema-registry.ts';
import type { Verdict } from '../events/types.generated.ts';
import { kafkaError } from '../kafka/errors.ts';

export interface TailOptions {
  kafka: KafkaClient;
  topics: string[];
  registry?: SchemaRegistry | undefined;
  /** Its offsets are never committed. */
  groupId: string;
  fromBeginning: boolean;
  signal: AbortSignal;
  /** The consumer has joined: what is published from now on will be seen. */
  onReady?: () => void;
  onVerdict: (verdict: Verdict) => void;
}

/** Reads verdicts until aborted. Throws what the decoder throws, or what `kafkaError` makes of a failure. */
export async function tailVerdicts(options: TailOptions): Promise<void> {
  const { kafka, topics, registry, groupId, fromBeginning, signal, onReady, onVerdict } = options;
  const decoder = createVerdictDecoder({ registry });
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  const failure = Promise.withResolvers<never>();
  consumer.on(consumer.events.GROUP_JOIN, () => onReady?.());
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) failure.reject(payload.error);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (!signal.aborted) onVerdict(await decoder.decode(message.value));
      },
    });
    if (!signal.aborted) await Promise.race([once(signal, 'abort'), failure.promise]);
  } catch (error) {
    throw kafkaError(error, `reading ${topics.join(', ')}`);
  } finally {
    await consumer.disconnect();
  }
}
