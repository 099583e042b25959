import { jest } from '@jest/globals';
import { testKafka } from '../support/kafka.ts';
import { createKafkaSink } from '../support/kafka-sink.ts';
import { describeVerdictSink } from '../support/verdict-sink-conformance.ts';

// A broker takes its time on a busy machine.
jest.setTimeout(30_000);

const kafka = testKafka();

describeVerdictSink('Kafka', () => createKafkaSink(kafka, { maxMessageBytes: 100_000 }));

describeVerdictSink('Kafka, compressed, over several partitions', () =>
  createKafkaSink(kafka, { maxMessageBytes: 100_000, partitions: 3, compression: 'lz4' }),
);
