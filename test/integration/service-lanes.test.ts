import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { stringify } from 'yaml';
import type { Verdict } from '../../src/events/types.generated.ts';
import { packageFile } from '../../src/package-files.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { runCli } from '../support/cli.ts';
import { committedOffsets } from '../support/consumer-group.ts';
import { gather } from '../support/gather-verdicts.ts';
import { createTopic, testBrokers, testKafka, uniqueName } from '../support/kafka.ts';
import { until, type Service } from '../support/service.ts';
import { photoEvent, publishInTurn, serviceStages } from '../support/service-stage.ts';

jest.setTimeout(240_000);

const PARTITIONS = 2;
/** In each lane. */
const EVENTS = 90;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-lanes-'));
});
afterAll(() => rm(folder, { recursive: true }));

const positionOf = ({ input }: Verdict): string =>
  `${input.topic}/${input.partition}/${input.offset}`;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

describe.each(['at-least-once', 'exactly-once'] as const)(
  '%s: two lanes and one with priority',
  (delivery) => {
    const open = serviceStages();

    it('give each record its verdict and lose nothing, one instance being killed', async () => {
      const kafka = testKafka();
      const uploads = await createTopic(kafka, PARTITIONS);
      const appeals = await createTopic(kafka, PARTITIONS);
      const rescan = await createTopic(kafka, PARTITIONS);
      const lanes = [uploads, appeals, rescan];
      const input = [
        { topic: uploads, weight: 8 },
        { topic: appeals, priority: true },
        { topic: rescan },
      ];
      const outputs = { verdicts: await createTopic(kafka), deadLetters: await createTopic(kafka) };
      const topics = { input, ...outputs };
      const config = { delivery, topics, pipeline: { maxInFlight: 8 } };
      const stage = await open(kafka, { partitions: 1, config });
      const { groupId, logs } = stage;
      for (const topic of lanes) {
        // The same ids in every lane: a verdict is told from another by where its record lies.
        const messages = Array.from({ length: EVENTS }, (_, n) => photoEvent(`event-${n}`));
        messages[7] = { ...messages[7], value: Buffer.from('nonsense') };
        await publishInTurn(kafka, topic, messages, PARTITIONS);
      }
      const gathered = gather(kafka, outputs.verdicts);
      const committed = async (): Promise<number> => {
        const offsets = await Promise.all(
          lanes.map((lane) => committedOffsets(kafka, groupId, lane)),
        );
        return offsets
          .flatMap((each) => [...each.values()])
          .reduce((a, b) => a + Math.max(b, 0), 0);
      };
      const start = async (): Promise<Service> => {
        const service = await stage.start();
        await service.url();
        return service;
      };

      const killed = await start();
      await until(async () => (await committed()) > EVENTS / 3, { explain: logs });
      expect(await killed.end('SIGKILL')).toBe('SIGKILL');
      const second = await start();
      const total = lanes.length * EVENTS;
      await until(async () => (await committed()) === total, { timeoutMs: 120_000, explain: logs });
      const metrics = await (await fetch(`${await second.url()}/metrics`)).text();
      expect(await second.end('SIGTERM')).toBe(0);

      for (const topic of lanes) {
        const offsets = await committedOffsets(kafka, groupId, topic);
        const ends = await withAdmin(kafka, 'reading', (admin) => admin.fetchTopicOffsets(topic));
        for (const { partition, high } of ends) expect(offsets.get(partition)).toBe(Number(high));
        expect(metrics).toMatch(new RegExp(`moderato_consumer_lag\\{[^}]*topic="${topic}"`));
        expect(metrics).toMatch(new RegExp(`moderato_events_total\\{[^}]*topic="${topic}"`));
        expect(metrics).toMatch(
          new RegExp(`moderato_event_duration_seconds_count\\{[^}]*topic="${topic}"`),
        );
      }
      const positions = (): Set<string> => new Set(gathered.verdicts.map(positionOf));
      await until(() => positions().size === total, { explain: logs });
      await gathered.stop();
      const ids = new Set(gathered.verdicts.map(({ verdictId }) => verdictId));
      expect(ids.size).toBe(total);
      if (delivery === 'exactly-once') expect(gathered.verdicts).toHaveLength(total);

      const judgedAt = (topic: string): number =>
        median(
          gathered.verdicts.flatMap((verdict) =>
            verdict.input.topic === topic ? verdict.decidedAt : [],
          ),
        );
      expect(judgedAt(appeals)).toBeLessThan(judgedAt(uploads));
      expect(judgedAt(uploads)).toBeLessThan(judgedAt(rescan));

      const file = join(folder, `${delivery}.yaml`);
      const kafkaSection = { brokers: testBrokers(), groupId };
      await writeFile(
        file,
        stringify({ kafka: kafkaSection, topics, policies: packageFile('policies/demo.yaml') }),
      );
      const all = await runCli(['reconcile', '-c', file, '--json']);
      expect(all).toMatchObject({ code: 0 });
      const reports = all.stdout
        .trim()
        .split('\n')
        .map(
          (line) =>
            JSON.parse(line) as {
              ranges: Array<{ topic: string }>;
              inputs: number;
              elsewhere: number;
              deadLetters: number;
            },
        );
      expect(reports.map(({ ranges }) => ranges[0]?.topic)).toEqual(lanes);
      for (const report of reports)
        expect(report).toMatchObject({ inputs: EVENTS, deadLetters: 1 });
      const one = await runCli(['reconcile', '-c', file, '--json', '--topic', rescan]);
      expect(JSON.parse(one.stdout)).toMatchObject({
        proven: true,
        ranges: [{ topic: rescan }, {}],
      });

      // Each dead letter goes back to the lane that it came from.
      const redriven = await runCli(['dead-letters', 'redrive', '-c', file, '--all', '--json']);
      expect(JSON.parse(redriven.stdout)).toMatchObject({
        redriven: 3,
        byTopic: { [uploads]: 1, [appeals]: 1, [rescan]: 1 },
      });
    });
  },
);

describe('a lane whose topic does not exist', () => {
  it('is named, and nothing starts', async () => {
    const there = await createTopic(testKafka());
    const absent = uniqueName('absent');
    const file = join(folder, 'absent.yaml');
    await writeFile(
      file,
      stringify({
        kafka: { brokers: testBrokers(), groupId: uniqueName('group') },
        topics: {
          input: [{ topic: uniqueName('gone') }, { topic: there }, { topic: absent, weight: 2 }],
          verdicts: there.replace('topic', 'verdicts'),
          deadLetters: there.replace('topic', 'letters'),
        },
        policies: packageFile('policies/demo.yaml'),
        observability: { http: false },
      }),
    );
    const run = await runCli(['run', '-c', file]);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(new RegExp(`topic_missing: .*gone-.*, ${absent}, .* not there`));
    const check = await runCli(['check', '-c', file]);
    expect(check.stdout).toContain(`topic ${absent} is not there`);
    expect(check.stdout).not.toContain(`topic ${there} is not there`);
  });
});
