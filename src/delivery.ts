/** Kafka in and out, put together for what `delivery` promises. */
import type { KafkaClient } from './kafka/client.ts';
import type { Clock } from './clock.ts';
import type { LoadedConfig } from './config.ts';
import type { EventSource } from './consumers/event-source.ts';
import { createKafkaEventSource } from './consumers/kafka-event-source.ts';
import type { PartitionFence } from './consumers/kafka-options.ts';
import { createMessageEncoder } from './events/message-encoder.ts';
import type { SchemaRegistry } from './events/schema-registry.ts';
import type { FaultPoints } from './fault-points.ts';
import {
  createPartitionTransactions,
  type PartitionTransactions,
} from './kafka/partition-transactions.ts';
import type { Logger } from './logger.ts';
import { createKafkaVerdictSink } from './producers/kafka-verdict-sink.ts';
import { createOutputLimits } from './producers/output-limits.ts';
import {
  createTransactionalVerdictSink,
  type TransactionalVerdictSink,
} from './producers/transactional-verdict-sink.ts';
import type { VerdictSink } from './producers/verdict-sink.ts';

export interface DeliveryParts {
  kafka: KafkaClient;
  registry: SchemaRegistry | undefined;
  clock: Clock;
  logger: Logger;
  faults?: FaultPoints | undefined;
}

export interface KafkaEnds {
  source: EventSource;
  sink: VerdictSink;
}

/** A source and a sink that keep the promise of `config.delivery`. Close the source before the sink. */
export function createKafkaEnds(config: LoadedConfig['config'], parts: DeliveryParts): KafkaEnds {
  const { kafka, registry, clock, logger, faults } = parts;
  const { topics, output } = config;
  const { window } = config.pipeline;
  const lanes = topics.input;
  const reading = { ...config.kafka, lanes, window, kafka, clock, logger, faults };
  const encoder = createMessageEncoder({ format: output.format, registry });
  const writing = { topics, encoder, lingerMs: output.lingerMs, clock, logger, faults };
  if (config.delivery === 'at-least-once') {
    return {
      source: createKafkaEventSource(reading),
      sink: createKafkaVerdictSink({ ...writing, kafka, compression: output.compression }),
    };
  }
  const transactions = createPartitionTransactions(kafka, {
    groupId: config.kafka.groupId,
    compression: output.compression,
    clock,
    faults,
  });
  const fence: PartitionFence = {
    acquire: (partitions, others) => transactions.acquire(partitions, others),
    note: async (commits) => {
      await Promise.all(
        commits.map(({ offset, metadata, ...partition }) =>
          transactions.commit(partition, [], offset, metadata),
        ),
      );
    },
  };
  const source = createKafkaEventSource({ ...reading, transactions: fence });
  const sink = createTransactionalVerdictSink({
    ...writing,
    limits: createOutputLimits(kafka, { topics, clock, logger }),
    commit: (partition, messages, offset) =>
      transactions.commit(partition, messages, offset, source.note(partition)),
  });
  return {
    source: admitting(source, sink),
    sink: {
      inOrder: true,
      emit: (emission) => sink.emit(emission),
      close: () => closeBoth(sink, transactions),
    },
  };
}

/** Tells the sink of each record in the order in which it is delivered. */
function admitting(source: EventSource, sink: TransactionalVerdictSink): EventSource {
  return {
    deliveries: async function* () {
      for await (const delivery of source.deliveries()) {
        sink.admit(delivery);
        yield delivery;
      }
    },
    stop: () => source.stop(),
    accuse: (fault, records) => source.accuse(fault, records),
    close: () => source.close(),
    status: () => source.status(),
  };
}

async function closeBoth(
  sink: TransactionalVerdictSink,
  transactions: PartitionTransactions,
): Promise<void> {
  await sink.close();
  await transactions.close();
}
