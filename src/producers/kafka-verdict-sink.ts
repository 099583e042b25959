import type { KafkaClient } from '../kafka/client.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config-schema.ts';
import { AppError } from '../errors.ts';
import type { FaultPoints } from '../fault-points.ts';
import type { MessageEncoder } from '../events/message-encoder.ts';
import { COMPRESSION } from '../kafka/codecs.ts';
import type { Logger } from '../logger.ts';
import { AckedProducer } from './acked-producer.ts';
import { outgoingMessages, type Outgoing } from './outgoing.ts';
import { MAX_REQUEST_BYTES, MAX_REQUEST_MESSAGES } from './request.ts';
import { SendQueue } from './send-queue.ts';
import type { OutputTopics } from './topic-routes.ts';
import type { Emission, VerdictSink } from './verdict-sink.ts';

export interface KafkaVerdictSinkOptions {
  kafka: KafkaClient;
  topics: OutputTopics;
  encoder: MessageEncoder;
  /** How long an emission waits for others to share its request, in ms. Raise it for throughput. */
  lingerMs: number;
  compression: Config['output']['compression'];
  /**
   * How long an unreachable broker is waited for, in ms, before `kafka_unavailable` ends the process.
   * @default 120_000
   */
  deliveryTimeoutMs?: number;
  clock: Clock;
  logger: Logger;
  faults?: FaultPoints | undefined;
}

/**
 * Emits to Kafka through an idempotent producer with acks=all. Connects at the first emission. kafkajs sends
 * what it is given, one request a call, so emissions that come close together are gathered here.
 */
export function createKafkaVerdictSink(options: KafkaVerdictSinkOptions): VerdictSink {
  const { kafka, topics, encoder, lingerMs, clock, logger } = options;
  const producer = new AckedProducer({
    createProducer: (createPartitioner) =>
      kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner,
      }),
    compression: COMPRESSION[options.compression],
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    clock,
    logger,
    faults: options.faults,
  });
  const queue = new SendQueue<{ messages: Outgoing[]; bytes: number; count: number }>({
    send: (parcels) => producer.send(parcels.flatMap(({ messages }) => messages)),
    isOneParcelsFault: (error) => error instanceof AppError && error.code === 'record_too_large',
    lingerMs,
    maxBytes: MAX_REQUEST_BYTES,
    maxMessages: MAX_REQUEST_MESSAGES,
    clock,
  });
  const underWay = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;

  const emit = async (emission: Emission): Promise<void> => {
    const messages = await outgoingMessages(emission, encoder, topics);
    const bytes = messages.reduce((sum, message) => sum + message.bytes, 0);
    await queue.add({ messages, bytes, count: messages.length });
  };
  const finish = async (): Promise<void> => {
    producer.stopRetrying();
    queue.hurry();
    await Promise.allSettled(underWay);
    await producer.close();
  };

  return {
    emit: async (emission) => {
      if (closed) throw new Error('the sink is closed: nothing more can be emitted');
      const emitted = emit(emission);
      underWay.add(emitted);
      await emitted.finally(() => underWay.delete(emitted));
    },
    close: () => (closed ??= finish()),
  };
}
