import type { Kafka } from 'kafkajs';
import { systemClock } from '../../src/clock.ts';
import { createKafkaEventSource } from '../../src/consumers/kafka-event-source.ts';
import type { KafkaEventSourceOptions } from '../../src/consumers/kafka-options.ts';
import type { Delivery, EventSource } from '../../src/consumers/event-source.ts';
import { lanesOf } from '../../src/lane.ts';
import { committedOffsets } from './consumer-group.ts';
import { testKafkaConfig } from './kafka.ts';

export interface GroupReading {
  kafka: Kafka;
  topic: string;
  groupId: string;
}

/** A source with short intervals; the broker of the tests allows sessions of 1 s. */
export function openKafkaSource(
  { kafka, groupId, topic }: GroupReading,
  options: Partial<KafkaEventSourceOptions> = {},
): EventSource {
  return createKafkaEventSource({
    ...testKafkaConfig({ brokers: ['unused:1'], commitIntervalMs: 50, heartbeatIntervalMs: 200 }),
    kafka,
    groupId,
    lanes: lanesOf(topic),
    clock: systemClock,
    ...options,
  });
}

/** What several members of a group have done together. */
export class Tally {
  /** How often each record was delivered, by `partition/offset`. */
  readonly delivered = new Map<string, number>();
  readonly resolved = new Set<string>();

  /** Works through a source with records resolved out of order, each `ms` at most after it was taken. */
  async work(source: EventSource, ms = 20): Promise<void> {
    for await (const delivery of source.deliveries()) {
      this.took(delivery);
      setTimeout(() => this.resolve(delivery), Math.random() * ms);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  took({ record }: Delivery): void {
    const id = `${record.partition}/${record.offset}`;
    this.delivered.set(id, (this.delivered.get(id) ?? 0) + 1);
  }

  resolve(delivery: Delivery): void {
    this.resolved.add(`${delivery.record.partition}/${delivery.record.offset}`);
    delivery.resolve();
  }

  /** Records below a committed offset that nobody has resolved: there must never be any. */
  async lost({ kafka, groupId, topic }: GroupReading): Promise<string[]> {
    const committed = await committedOffsets(kafka, groupId, topic);
    const lost: string[] = [];
    for (const [partition, end] of committed) {
      for (let offset = 0; offset < end; offset += 1) {
        const id = `${partition}/${offset}`;
        if (!this.resolved.has(id)) lost.push(id);
      }
    }
    return lost;
  }
}
