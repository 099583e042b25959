import { readFileSync } from 'node:fs';
import { afterAll } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import { anImageEvent, asJson } from './builders.ts';
import { createTopic, publish, uniqueName } from './kafka.ts';
import { startService, type Service, type ServiceOptions } from './service.ts';

const photo = readFileSync(new URL('../fixtures/parity/images/lossy.webp', import.meta.url));

/** Several instances of the service in one group, and what they work on. */
export interface ServiceStage {
  topics: ServiceOptions['topics'];
  groupId: string;
  start: () => Promise<Service>;
  /** What all instances have written. */
  logs: () => string;
}

/** A photo's event; its id is its key. */
export function photoEvent(eventId: string): Message {
  return { key: eventId, value: asJson(anImageEvent({ eventId, image: { bytes: photo } })) };
}

/** Ends what is left of the instances behind the tests of a file. */
export function serviceStages() {
  const services: Service[] = [];
  afterAll(async () => {
    await Promise.all(services.map((service) => service.end('SIGKILL')));
  });
  return async (
    kafka: Kafka,
    options: { partitions: number } & Pick<ServiceOptions, 'config' | 'kafka'>,
  ): Promise<ServiceStage> => {
    const { partitions, config, kafka: section = {} } = options;
    const topics = {
      input: await createTopic(kafka, partitions),
      verdicts: await createTopic(kafka, partitions),
      deadLetters: await createTopic(kafka),
    };
    const groupId = uniqueName('group');
    return {
      topics,
      groupId,
      start: async () => {
        // One photo for all: each event is to cost what a new one costs, so that faults strike in mid-work.
        const dedupe = { maxBytes: 0 };
        const service = await startService({
          topics,
          groupId,
          config: { dedupe, ...config },
          kafka: section,
        });
        services.push(service);
        return service;
      },
      logs: () => services.map((service) => service.output()).join('\n---\n'),
    };
  };
}

/** Publishes a hundred messages at a time, to the partitions in turn. */
export async function publishInTurn(
  kafka: Kafka,
  topic: string,
  messages: readonly Message[],
  partitions: number,
): Promise<void> {
  const placed = messages.map((message, index) => ({ ...message, partition: index % partitions }));
  for (let start = 0; start < placed.length; start += 100) {
    await publish(kafka, topic, placed.slice(start, start + 100));
  }
}
