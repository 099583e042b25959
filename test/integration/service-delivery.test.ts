import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { withAdmin } from '../../src/kafka/topics.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { gather } from '../support/gather-verdicts.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { startService, until, type Service } from '../support/service.ts';

jest.setTimeout(180_000);

const EVENTS = 1_000;
const PARTITIONS = 6;
const photo = readFileSync(new URL('../fixtures/parity/images/lossy.webp', import.meta.url));

describe('two instances on six partitions', () => {
  const services: Service[] = [];
  let kafka: Kafka;
  beforeAll(() => {
    kafka = testKafka();
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.end('SIGKILL')));
  });

  it('lose nothing when one is killed, and every duplicate has the same id', async () => {
    const input = await createTopic(kafka, PARTITIONS);
    const topics = {
      input,
      verdicts: await createTopic(kafka, PARTITIONS),
      deadLetters: await createTopic(kafka),
    };
    const groupId = uniqueName('group');
    const sent = Array.from({ length: EVENTS }, (_, index) => `event-${index}`);
    for (let start = 0; start < EVENTS; start += 100) {
      await publish(
        kafka,
        input,
        sent.slice(start, start + 100).map((eventId, index) => ({
          key: eventId,
          value: asJson(anImageEvent({ eventId, image: { bytes: photo } })),
          partition: (start + index) % PARTITIONS,
        })),
      );
    }

    const gathered = gather(kafka, topics.verdicts);
    const logs = (): string => services.map((service) => service.output()).join('\n---\n');
    const killed = await startService({ topics, groupId });
    services.push(killed);
    const survivor = await startService({ topics, groupId });
    services.push(survivor);
    await Promise.all([killed.url(), survivor.url()]);
    await until(() => gathered.verdicts.length >= EVENTS / 4, { explain: logs });
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');

    const seen = (): Set<string | null> => new Set(gathered.verdicts.map((v) => v.eventId));
    await until(() => seen().size === EVENTS, { timeoutMs: 120_000, explain: logs });
    expect(await survivor.end('SIGTERM')).toBe(0);
    await gathered.stop();

    expect([...seen()].sort()).toEqual([...sent].sort());
    const ids = Map.groupBy(gathered.verdicts, (verdict) => verdict.eventId);
    for (const [eventId, verdicts] of ids) {
      expect([eventId, new Set(verdicts.map((v) => v.verdictId)).size]).toEqual([eventId, 1]);
    }
    expect(new Set(gathered.verdicts.map((v) => v.outcome))).toEqual(new Set(['allow']));
    const [ends, committed] = await withAdmin(kafka, 'reading offsets', async (admin) => [
      await admin.fetchTopicOffsets(input),
      await admin.fetchOffsets({ groupId, topics: [input] }),
    ]);
    const byPartition = new Map(
      committed[0]?.partitions.map(({ partition, offset }) => [partition, offset]),
    );
    for (const { partition, high } of ends) expect(byPartition.get(partition)).toBe(high);
  });
});
