import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Verdict } from '../../src/events/types.generated.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { gather } from '../support/gather-verdicts.ts';
import { publish, testKafka } from '../support/kafka.ts';
import { parsePrometheusText, type Scrape } from '../support/prometheus-text.ts';
import { startRecordingServer, type RecordingServer } from '../support/recording-server.ts';
import { photoEvent, serviceStages } from '../support/service-stage.ts';
import { until, type Service } from '../support/service.ts';

jest.setTimeout(180_000);

const HELD = 300;
const LIGHT = 30;
const stage = serviceStages();
let host: RecordingServer;
let isAbsent = true;
const gatherings: Array<ReturnType<typeof gather>> = [];

beforeAll(async () => {
  host = await startRecordingServer((_, response) => {
    response.writeHead(isAbsent ? 503 : 404).end();
  });
});
afterAll(async () => {
  await Promise.all(gatherings.map(({ stop: end }) => end()));
  await host.close();
});

async function metricsOf(service: Service): Promise<Scrape> {
  const answer = await fetch(`${await service.url()}/metrics`);
  return parsePrometheusText(await answer.text());
}

function heldEvent(eventId: string) {
  const image = { uri: `${host.origin}/${eventId}.jpg` };
  return { key: eventId, value: asJson(anImageEvent({ eventId, image })), partition: 0 };
}

describe.each([
  ['at-least-once', HELD],
  ['exactly-once', 1],
] as const)('%s, records that wait for an absent host', (delivery, leastHeld) => {
  it('hold no slot, and a crash then loses none and repeats no more than the window', async () => {
    isAbsent = true;
    const before = host.requests.length;
    const kafka = testKafka();
    const { topics, start, logs } = await stage(kafka, {
      partitions: 2,
      config: {
        delivery,
        pipeline: { window: HELD },
        images: {
          decoders: 1,
          http: {
            allowHosts: ['127.0.0.1'],
            allowPorts: [host.port],
            allowAddresses: ['127.0.0.1/32'],
          },
        },
      },
    });
    const held = Array.from({ length: HELD }, (_, n) => `held-${n}`);
    await publish(kafka, topics.input, held.map(heldEvent));
    const service = await start();
    const gathered = gather(kafka, topics.verdicts);
    gatherings.push(gathered);
    const judged = (prefix: string): Verdict[] =>
      gathered.verdicts.filter(({ eventId }) => eventId?.startsWith(prefix));
    const explain = logs;
    const parked = async (): Promise<number> =>
      (await metricsOf(service)).value('moderato_parked', { dependency: 'http' }) ?? 0;
    await until(async () => (await parked()) >= leastHeld, { explain });

    const light = Array.from({ length: LIGHT }, (_, n) => ({
      ...photoEvent(`light-${n}`),
      partition: 1,
    }));
    await publish(kafka, topics.input, light);
    await until(() => judged('light').length >= LIGHT, { timeoutMs: 30_000, explain });
    expect(judged('held')).toEqual([]);
    await until(async () => (await metricsOf(service)).value('moderato_in_flight') === 0, {
      explain,
    });
    const ready = await fetch(`${await service.url()}/readyz`);
    expect(await ready.text()).toContain(`${host.origin} absent for`);
    expect(host.requests.length - before).toBeLessThan(50); // the breaker asks, not three hundred records

    await service.end('SIGKILL');
    isAbsent = false;
    await start();
    await until(() => new Set(judged('held').map(({ eventId }) => eventId)).size === HELD, {
      explain,
    });
    expect(new Set(judged('held').map(({ reason }) => reason?.code))).toEqual(
      new Set(['image_not_found']),
    );
    const repeated = gathered.verdicts.length - HELD - LIGHT;
    expect(repeated).toBeLessThanOrEqual(delivery === 'exactly-once' ? 0 : LIGHT);
  });
});
