import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { freePorts } from '../../src/demo/kafka/wire.ts';
import { decodeVerdict } from '../../src/events/index.ts';
import type { Verdict } from '../../src/events/types.generated.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { packageFile } from '../../src/package-files.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { startEmptyRegistry } from '../support/empty-registry.ts';
import { countRecords, createTopic, publish, readAll } from '../support/kafka.ts';
import { testKafka, uniqueName, type ReadMessage } from '../support/kafka.ts';
import { startCollector, type Collector } from '../support/otlp.ts';
import { probe, type ProbeAnswer } from '../support/probe.ts';
import { parsePrometheusText, type Scrape } from '../support/prometheus-text.ts';
import { startService, until, type Service, type ServiceOptions } from '../support/service.ts';

jest.setTimeout(120_000);

const PASSWORD = 'correct-horse-battery';
const WRONG_PASSWORD = 'wrong-horse-battery';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PRODUCER_SPAN = 'b7ad6b7169203331';
const STAGES = ['decode', 'fetch', 'preprocess', 'queue', 'infer', 'score', 'emit'];
const ROUNDS = 10;

/** The demo bundle's answers to four of the samples; docs/policies.md has the reasons. */
const PHOTOS = {
  'motorcycle.jpg': 'block',
  'giraffe.jpg': 'review',
  'vase.jpg': 'allow',
  'cat-on-sofa.webp': 'allow',
  'phone-photo.heic': 'not_inspected',
};
const EVENTS = ROUNDS * Object.keys(PHOTOS).length;

function events(): Message[] {
  const photos = Array.from({ length: ROUNDS }, () => Object.keys(PHOTOS)).flat();
  return photos.map((photo, index) => ({
    key: `event-${index}`,
    value: asJson(
      anImageEvent({
        eventId: `event-${index}`,
        image: { uri: `file://${packageFile(`samples/${photo}`)}` },
      }),
    ),
    partition: index % 3,
    ...(index === 0 && {
      headers: {
        traceparent: `00-${TRACE_ID}-${PRODUCER_SPAN}-01`,
        tracestate: 'vendor=kept',
        tenant: 'shop-7',
        ce_id: 'of-the-input',
      },
    }),
  }));
}

let broker: LocalKafka;
let kafka: Kafka;
let collector: Collector;
const services: Service[] = [];
let orphaned: Running;

beforeAll(async () => {
  // A broker of its own: it asks for a password, and one of its topics is deleted.
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_moderato="${PASSWORD}";`;
  broker = await startLocalKafka({
    listeners: ['SASL_PLAINTEXT'],
    properties: {
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config': login,
    },
  });
  kafka = testKafka({ brokers: broker.bootstrap });
  collector = await startCollector();

  // It takes its time to give up, so it does while the others run.
  orphaned = await start();
  await ready(orphaned);
  await withAdmin(kafka, 'deleting a topic', (admin) =>
    admin.deleteTopics({ topics: [orphaned.topics.input] }),
  );
}, 60_000);
afterAll(async () => {
  await Promise.all(services.map((service) => service.end('SIGKILL')));
  await collector.close();
  await broker.stop();
});

interface Running {
  service: Service;
  topics: ServiceOptions['topics'];
  /** Of its probes and metrics. */
  base: string;
}

async function start(config: Record<string, unknown> = {}, password = PASSWORD): Promise<Running> {
  const options: ServiceOptions = {
    groupId: uniqueName('group'),
    topics: {
      input: await createTopic(kafka, 3),
      verdicts: await createTopic(kafka),
      deadLetters: await createTopic(kafka),
    },
    env: { MODERATO_KAFKA_SASL_PASSWORD: password },
  };
  const [port = 0] = await freePorts(1);
  options.config = {
    kafka: {
      brokers: broker.listener('SASL_PLAINTEXT'),
      groupId: options.groupId,
      sasl: { mechanism: 'plain', username: 'moderato' },
    },
    images: { root: packageFile('samples'), decoders: 1 },
    dedupe: { maxBytes: 0 }, // Photos that come again pass through every stage, too.
    observability: { http: { host: '127.0.0.1', port }, otlp: collector.url },
    ...config,
  };
  const service = await startService(options);
  services.push(service);
  return { service, topics: options.topics, base: `http://127.0.0.1:${port}` };
}

/** Resolves when it is ready. */
async function ready({ base, service }: Running): Promise<void> {
  await until(async () => (await probe(base, 'readyz')).status === 200, {
    explain: service.output,
  });
}

describe(`from its start over ${EVENTS} events to its end`, () => {
  const live: ProbeAnswer[] = [];
  const readiness: ProbeAnswer[] = [];
  let scrape: Scrape;
  let logs: Array<{ level: string; msg: string }>;
  let output: string;
  let exit: number | string;
  let input: string;
  let traced: ReadMessage;
  let verdict: Verdict;

  beforeAll(async () => {
    const { service, topics, base } = await start();
    input = topics.input;
    while (readiness.at(-1)?.status !== 200) {
      live.push(await probe(base, 'livez'));
      readiness.push(await probe(base, 'readyz'));
      if (live.length > 3_000) throw new Error(service.output());
      await sleep(10);
    }
    await publish(kafka, topics.input, events());
    const counted = async (): Promise<number> => {
      scrape = parsePrometheusText(await (await fetch(`${base}/metrics`)).text());
      const outcomes = scrape.samples.filter(({ name }) => name === 'moderato_events_total');
      return outcomes.reduce((sum, { value }) => sum + value, 0);
    };
    await until(
      async () => (await counted()) >= EVENTS && scrape.value('moderato_consumer_lag') === 0,
      { explain: service.output },
    );
    live.push(await probe(base, 'livez'));
    exit = await service.end('SIGTERM');
    output = service.output();
    logs = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    const verdicts = await readAll(kafka, topics.verdicts);
    const found = verdicts.find(({ key }) => key?.toString() === 'event-0');
    if (!found) throw new Error(`no verdict of event-0 among ${verdicts.length}`);
    traced = found;
    verdict = await decodeVerdict(traced.value);
  });

  it('is live as soon as it listens, and ready only with its model and an assignment', () => {
    const answers = readiness.filter(({ status }) => status !== 0);
    expect(answers[0]).toEqual({ status: 503, failing: ['model', 'topics', 'assignment'] });
    expect(answers.at(-1)).toEqual({ status: 200, failing: [] });
    const listening = live.findIndex(({ status }) => status !== 0);
    expect(new Set(live.slice(listening).map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('continues the trace of the producer, with a span for each stage in order', () => {
    const spans = collector.spans().filter(({ traceId }) => traceId === TRACE_ID);
    const root = spans.find(({ name }) => name === `process ${input}`);
    expect(root).toMatchObject({
      parentId: PRODUCER_SPAN,
      links: [`${TRACE_ID}/${PRODUCER_SPAN}`],
    });
    const stages = spans.filter((span) => span !== root);
    expect(stages.map(({ name }) => name)).toEqual(STAGES);
    expect(new Set(stages.map(({ parentId }) => parentId))).toEqual(new Set([root?.spanId]));
    const times = [root?.start, ...stages.flatMap(({ start, end }) => [start, end]), root?.end];
    expect(times).toEqual(times.toSorted((a, b) => Number(BigInt(a ?? 0) - BigInt(b ?? 0))));
  });

  it('traces each event once', () => {
    const roots = collector.spans().filter(({ name }) => name === `process ${input}`);
    expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(EVENTS);
    expect(roots).toHaveLength(EVENTS);
  });

  it('hands the trace and the headers on with the verdict, as a CloudEvent of its own', () => {
    const root = collector.spans().findLast(({ traceId }) => traceId === TRACE_ID);
    const headers = Object.fromEntries(
      Object.entries(traced.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    expect(headers).toEqual({
      traceparent: `00-${TRACE_ID}-${root?.spanId}-01`,
      tracestate: 'vendor=kept',
      tenant: 'shop-7',
      ce_specversion: '1.0',
      ce_id: verdict.verdictId,
      ce_type: 'moderato.verdict.v1',
      ce_source: `/moderato/${input}`,
      ce_subject: 'event-0',
      ce_time: new Date(verdict.decidedAt).toISOString(),
      'content-type': 'application/json',
    });
  });

  it('counts the events by outcome and the results by policy', () => {
    const outcomes = Map.groupBy(Object.values(PHOTOS), (outcome) => outcome);
    for (const [outcome, photos] of outcomes) {
      const count = scrape.value('moderato_events_total', { outcome });
      expect([outcome, count]).toEqual([outcome, photos.length * ROUNDS]);
    }
    const results = (policy: string, band: string): number | undefined =>
      scrape.value('moderato_policy_results_total', { policy, band });
    expect(results('motor-vehicles', 'block')).toBe(ROUNDS);
    expect(results('motor-vehicles', 'allow')).toBe(3 * ROUNDS);
    expect(results('wild-animals', 'review')).toBe(ROUNDS);
    expect(results('pets', 'block')).toBe(ROUNDS); // the cat; in shadow, so its outcome is allow
    const refused = { code: 'image_format_unsupported', stage: 'preprocess' };
    expect(scrape.value('moderato_not_inspected_total', refused)).toBe(ROUNDS);
  });

  it('observes each stage once for each event that reached it', () => {
    const uninspected = new Set(['queue', 'infer', 'score']);
    for (const stage of STAGES) {
      const count = scrape.value('moderato_stage_duration_seconds_count', { stage });
      const expected = uninspected.has(stage) ? EVENTS - ROUNDS : EVENTS;
      expect([stage, count]).toEqual([stage, expected]);
    }
    expect(scrape.value('moderato_verdict_delay_seconds_count')).toBe(EVENTS);
    expect(scrape.value('moderato_in_flight')).toBe(0);
    expect(scrape.value('moderato_consumer_alive')).toBe(1);
    expect(scrape.value('moderato_consumer_partitions')).toBe(3);
  });

  it('says little, complains of nothing, and ends with exit code 0', () => {
    expect(exit).toBe(0);
    expect(logs.filter(({ level }) => level !== 'info')).toEqual([]);
    expect(logs.map(({ msg }) => msg)).toEqual([
      'running',
      'partitions assigned',
      'stopping: finishing what is in flight',
      'stopped',
    ]);
    expect(output).not.toContain(PASSWORD);
  });
});

it('told to stop with an event in flight, it is live but not ready until the event is done', async () => {
  const registry = await startEmptyRegistry();
  registry.down(true);
  const running = await start({ registry: { url: registry.url } });
  const { service, topics, base } = running;
  await ready(running);
  await publish(kafka, topics.input, [{ value: Buffer.from([0, 0, 0, 0, 7, 1, 2, 3]) }]);
  await until(() => service.output().includes('registry_unavailable'), {
    explain: service.output,
  });

  const exit = service.end('SIGTERM');
  await until(async () => (await probe(base, 'readyz')).status === 503);
  expect(await probe(base, 'readyz')).toEqual({ status: 503, failing: ['draining'] });
  expect(await probe(base, 'livez')).toEqual({ status: 200, failing: [] });
  expect(await countRecords(kafka, topics.verdicts)).toBe(0);

  registry.down(false);
  expect(await exit).toBe(0);
  expect(await countRecords(kafka, topics.verdicts)).toBe(1);
  registry.close();
});

it('without its input topic it ends, and says what to do about it', async () => {
  const { service, topics } = orphaned;
  expect(await service.ended).toBe(1);
  expect(service.output()).toContain(`topic_missing: consuming ${topics.input}`);
});

it('with a wrong password ends without telling it', async () => {
  const { service } = await start({}, WRONG_PASSWORD);
  expect(await service.ended).toBe(1);
  expect(service.output()).toContain('kafka_unauthorized');
  expect(service.output()).not.toContain(WRONG_PASSWORD);
});
