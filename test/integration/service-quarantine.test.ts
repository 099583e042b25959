import { readFileSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { createApp } from '../../src/app.ts';
import { configSchema } from '../../src/config-schema.ts';
import { noLogger } from '../../src/logger.ts';
import { packageFile } from '../../src/package-files.ts';
import { createMemoryFetcher } from '../../src/references/memory-fetcher.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import {
  countRecords,
  createTopic,
  publish,
  testKafka,
  testKafkaConfig,
  uniqueName,
} from '../support/kafka.ts';
import { gather } from '../support/gather-verdicts.ts';
import { until } from '../support/service.ts';

jest.setTimeout(180_000);

const photo = readFileSync(new URL('../fixtures/parity/images/lossy.webp', import.meta.url));
const EVENTS = 12;
const POISON = 'event-5';

function eventOf(eventId: string) {
  const uri = `memory:${eventId}`;
  return { key: eventId, value: asJson(anImageEvent({ eventId, image: { uri } })) };
}

describe.each(['at-least-once', 'exactly-once'] as const)(
  'a record that kills the process, %s',
  (delivery) => {
    it('is quarantined after three deaths, the last of them alone, and every other record is judged', async () => {
      const kafka = testKafka();
      const topics = {
        input: await createTopic(kafka, 2),
        verdicts: await createTopic(kafka),
        deadLetters: await createTopic(kafka),
      };
      const ids = Array.from({ length: EVENTS }, (_, index) => `event-${index}`);
      await publish(
        kafka,
        topics.input,
        ids.map((id, at) => ({ ...eventOf(id), partition: at % 2 })),
      );
      const config = configSchema.parse({
        kafka: testKafkaConfig({ groupId: uniqueName('group'), commitIntervalMs: 100 }),
        topics,
        delivery,
        policies: packageFile('policies/demo.yaml'),
        images: { decoders: 1 },
        dedupe: { maxBytes: 0 },
        observability: { http: false },
      });
      const images = new Map<string, Buffer | Error>(ids.map((id) => [`memory:${id}`, photo]));
      images.set(`memory:${POISON}`, new TypeError('x is not a function'));
      const fetcher = { ...createMemoryFetcher({ images }), close: () => Promise.resolve() };
      const gathered = gather(kafka, topics.verdicts);
      const judged = () => new Set(gathered.verdicts.map(({ eventId }) => eventId)).size;

      let deaths = 0;
      for (;;) {
        const app = await createApp({ config, secrets: {} }, noLogger, { fetcher });
        const running = app.run().then(
          () => 'stopped',
          (error: unknown) => error,
        );
        const end = await Promise.race([
          running,
          until(() => judged() === EVENTS, { timeoutMs: 60_000 }),
        ]);
        if (end instanceof TypeError) deaths += 1;
        if (end === undefined) {
          await app.stop();
          expect(await running).toBe('stopped');
          break;
        }
        if (deaths > 3) throw new Error('it dies for ever');
      }
      await gathered.stop();

      expect(deaths).toBe(3);
      const byId = Map.groupBy(gathered.verdicts, ({ eventId }) => eventId ?? 'none');
      const reasons = new Map([...byId].map(([id, [first]]) => [id, first?.reason?.code ?? null]));
      expect(reasons.get('none')).toBe('record_quarantined');
      expect([...reasons.values()].filter((code) => code === null)).toHaveLength(EVENTS - 1);
      for (const verdicts of byId.values())
        expect(new Set(verdicts.map((v) => v.verdictId)).size).toBe(1);
      if (delivery === 'exactly-once') expect(gathered.verdicts).toHaveLength(EVENTS);
      expect(await countRecords(kafka, topics.deadLetters)).toBeGreaterThanOrEqual(1);
    });
  },
);
