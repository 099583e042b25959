import { testKafka } from '../support/kafka.ts';
import { createKafkaSink } from '../support/kafka-sink.ts';
import { describeVerdictSink } from '../support/verdict-sink-conformance.ts';

const kafka = testKafka();

describeVerdictSink('Kafka', () => createKafkaSink(kafka, { maxMessageBytes: 100_000 }));

describeVerdictSink('Kafka, compressed, over several partitions', () =>
  createKafkaSink(kafka, { maxMessageBytes: 100_000, partitions: 3, compression: 'lz4' }),
);
