/**
 * A process that consumes until it is killed: `node consumer-child.ts '{brokers, topic, groupId, resolve}'`.
 * Resolves the first `resolve` records, keeps the rest in flight, and prints a line for each.
 */
import { systemClock } from '../../src/clock.ts';
import { createKafkaEventSource } from '../../src/consumers/kafka-event-source.ts';
import { lanesOf } from '../../src/lane.ts';
import { testKafka } from './kafka.ts';

export interface ConsumerChildOptions {
  brokers: string[];
  topic: string;
  groupId: string;
  sessionTimeoutMs: number;
  heartbeatIntervalMs: number;
  /** How many of the first records to resolve. */
  resolve: number;
}

const options = JSON.parse(process.argv[2] ?? '{}') as ConsumerChildOptions;
const source = createKafkaEventSource({
  ...options,
  lanes: lanesOf(options.topic),
  kafka: testKafka({ brokers: options.brokers }),
  commitIntervalMs: 50,
  clock: systemClock,
});

let taken = 0;
for await (const delivery of source.deliveries()) {
  taken += 1;
  if (taken <= options.resolve) delivery.resolve();
  console.log(`${delivery.record.partition}/${delivery.record.offset}`);
}
