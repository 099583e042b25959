import type { KafkaClient } from '../kafka/client.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config-schema.ts';
import type { FaultPoints } from '../fault-points.ts';
import type { MessageEncoder } from '../events/message-encoder.ts';
import { createAckedProducer } from '../kafka/acked-producer.ts';
import { totalBytes, type OutgoingMessage } from '../kafka/outgoing-message.ts';
import { MAX_REQUEST_BYTES, MAX_REQUEST_MESSAGES } from '../kafka/request.ts';
import { settles } from '../kafka/within.ts';
import type { Logger } from '../logger.ts';
import { createFitter } from './fitter.ts';
import { createOutputLimits, isTooLarge } from './output-limits.ts';
import { SendQueue } from './send-queue.ts';
import type { OutputTopics } from './topic-routes.ts';
import type { Emission, VerdictSink } from './verdict-sink.ts';

/** For what is under way when the sink is closed, in ms: nothing is by then, unless the broker does not answer. */
const CLOSE_TIMEOUT_MS = 1_000;

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
  const { kafka, topics, encoder, lingerMs, compression, clock, logger, faults } = options;
  const { deliveryTimeoutMs = 120_000 } = options;
  const producer = createAckedProducer(kafka, {
    compression,
    deliveryTimeoutMs,
    clock,
    logger,
    faults,
  });
  const limits = createOutputLimits(kafka, { topics, clock, logger });
  const fit = createFitter({ encoder, topics, limits, logger });
  const queue = new SendQueue<{ messages: OutgoingMessage[]; bytes: number; count: number }>({
    send: (parcels) => producer.send(parcels.flatMap(({ messages }) => messages)),
    isOneParcelsFault: isTooLarge,
    lingerMs,
    maxBytes: () => Math.min(MAX_REQUEST_BYTES, limits.smallest()),
    maxMessages: MAX_REQUEST_MESSAGES,
    clock,
  });
  const underWay = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;

  const emit = async (emission: Emission): Promise<void> => {
    for (;;) {
      const messages = await fit(emission);
      const parcel = { messages, bytes: totalBytes(messages), count: messages.length };
      try {
        await queue.add(parcel);
        return;
      } catch (error) {
        if (!isTooLarge(error) || !(await limits.refused(messages))) throw error;
        logger.warn(
          { ...emission.verdict.input, err: error },
          'refused as too large: shrinking it',
        );
      }
    }
  };
  const finish = async (): Promise<void> => {
    producer.stopRetrying();
    queue.hurry();
    await settles(Promise.allSettled(underWay), { clock, ms: CLOSE_TIMEOUT_MS });
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
