import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { packageFile } from '../../src/package-files.ts';
import { loadBundle } from '../../src/policies/load-bundle.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { gather } from '../support/gather-verdicts.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { startService, until, type Service } from '../support/service.ts';

jest.setTimeout(180_000);

const EVENTS = 400;
const PARTITIONS = 6;

describe('two policy bundles in one consumer group, as during a roll-out', () => {
  const services: Service[] = [];
  let kafka: Kafka;
  let folder: string;
  beforeAll(async () => {
    kafka = testKafka();
    folder = await mkdtemp(join(tmpdir(), 'moderato-upgrade-'));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.end('SIGKILL')));
    await rm(folder, { recursive: true });
  });

  it('are told apart in every verdict, and each event has one whichever judged it', async () => {
    const before = packageFile('policies/demo.yaml');
    const after = join(folder, 'stricter.yaml');
    const text = await readFile(before, 'utf8');
    await writeFile(after, text.replace('review: 0.60, block: 0.95', 'review: 0.50, block: 0.90'));
    const hashes = new Set([(await loadBundle(before)).hash, (await loadBundle(after)).hash]);
    expect(hashes.size).toBe(2);

    const input = await createTopic(kafka, PARTITIONS);
    const topics = {
      input,
      verdicts: await createTopic(kafka, PARTITIONS),
      deadLetters: await createTopic(kafka),
    };
    const photo = await readFile(packageFile('samples/bananas.jpg'));
    await publish(
      kafka,
      input,
      Array.from({ length: EVENTS }, (_, index) => ({
        key: `event-${index}`,
        value: asJson(anImageEvent({ eventId: `event-${index}`, image: { bytes: photo } })),
        partition: index % PARTITIONS,
      })),
    );
    const gathered = gather(kafka, topics.verdicts);
    const logs = (): string => services.map((service) => service.output()).join('\n---\n');
    const groupId = uniqueName('group');
    // One photo for all: known to the first instance, it would leave the second nothing to do.
    const common = { delivery: 'exactly-once', dedupe: { maxBytes: 0 } };
    for (const policies of [before, after]) {
      services.push(await startService({ topics, groupId, config: { ...common, policies } }));
    }
    await Promise.all(services.map((service) => service.url()));
    const judgedBy = (): Set<string> => new Set(gathered.verdicts.map((v) => v.bundle.hash));
    await until(() => judgedBy().size === 2, { explain: logs });
    expect(await services[0]?.end('SIGTERM')).toBe(0); // the roll-out goes on
    await until(() => gathered.verdicts.length >= EVENTS, { timeoutMs: 120_000, explain: logs });
    expect(await services[1]?.end('SIGTERM')).toBe(0);
    await gathered.stop();

    const positions = gathered.verdicts.map(({ input: at }) => `${at.partition}/${at.offset}`);
    expect([positions.length, new Set(positions).size]).toEqual([EVENTS, EVENTS]);
    expect(judgedBy()).toEqual(hashes);
  });
});
