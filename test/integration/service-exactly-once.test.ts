import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { withAdmin } from '../../src/kafka/topics.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { committedOffsets } from '../support/consumer-group.ts';
import { gather } from '../support/gather-verdicts.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { startService, until, type Service } from '../support/service.ts';

jest.setTimeout(180_000);

const EVENTS = 600;
const PARTITIONS = 6;
const photo = readFileSync(new URL('../fixtures/parity/images/lossy.webp', import.meta.url));

describe('exactly-once: two instances on six partitions', () => {
  const services: Service[] = [];
  let kafka: Kafka;
  beforeAll(() => {
    kafka = testKafka();
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.end('SIGKILL')));
  });

  it('show each verdict once to a read_committed consumer, one being killed and one frozen', async () => {
    const input = await createTopic(kafka, PARTITIONS);
    const topics = {
      input,
      verdicts: await createTopic(kafka, PARTITIONS),
      deadLetters: await createTopic(kafka),
    };
    const groupId = uniqueName('group');
    const messages = Array.from({ length: EVENTS }, (_, index) => ({
      key: `event-${index}`,
      value:
        index % 50 === 7
          ? Buffer.from('nonsense')
          : asJson(anImageEvent({ eventId: `event-${index}`, image: { bytes: photo } })),
      partition: index % PARTITIONS,
    }));
    for (let start = 0; start < EVENTS; start += 100) {
      await publish(kafka, input, messages.slice(start, start + 100));
    }
    const gathered = gather(kafka, topics.verdicts);
    const config = { delivery: 'exactly-once' };
    const logs = (): string => services.map((service) => service.output()).join('\n---\n');
    const start = async (): Promise<Service> => {
      const service = await startService({ topics, groupId, config });
      services.push(service);
      await service.url();
      return service;
    };
    const done = async (): Promise<number> => {
      const committed = await committedOffsets(kafka, groupId, input);
      return [...committed.values()].reduce((sum, offset) => sum + Math.max(offset, 0), 0);
    };

    const killed = await start();
    const frozen = await start();
    await until(async () => (await done()) > EVENTS / 6, { explain: logs });
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');
    await until(async () => (await done()) > EVENTS / 3, { explain: logs });
    process.kill(frozen.pid, 'SIGSTOP');
    const third = await start();
    await until(async () => (await done()) > EVENTS / 2, { explain: logs });
    process.kill(frozen.pid, 'SIGCONT'); // a zombie with a transaction of the past in its hands
    await until(async () => (await done()) === EVENTS, { timeoutMs: 120_000, explain: logs });
    expect(await third.end('SIGTERM')).toBe(0);
    expect(await frozen.end('SIGTERM')).toBe(0);

    const committed = await committedOffsets(kafka, groupId, input);
    const ends = await withAdmin(kafka, 'reading', (admin) => admin.fetchTopicOffsets(input));
    for (const { partition, high } of ends) expect(committed.get(partition)).toBe(Number(high));
    await until(() => gathered.verdicts.length >= EVENTS, { explain: logs });
    await gathered.stop();
    const positions = gathered.verdicts.map((v) => `${v.input.partition}/${v.input.offset}`);
    expect(positions.length).toBe(EVENTS);
    expect(new Set(positions).size).toBe(EVENTS);
  });
});
