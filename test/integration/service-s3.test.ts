import { readFileSync } from 'node:fs';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import { packageFile } from '../../src/package-files.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { gather } from '../support/gather-verdicts.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { parsePrometheusText } from '../support/prometheus-text.ts';
import { startS3, type S3Server } from '../support/s3.ts';
import { startService, until, type Service } from '../support/service.ts';

jest.setTimeout(180_000);

/** The demo bundle's answers, and what becomes of a key behind which there is nothing. */
const OUTCOMES: Record<string, string> = {
  'motorcycle.jpg': 'block',
  'vase.jpg': 'allow',
  'nowhere.jpg': 'not_inspected',
};
const KEYS = Object.keys(OUTCOMES);
const BEFORE = 60;
const DURING = 30;

const bucket = uniqueName('bucket');
let s3: S3Server;
let kafka: Kafka;
let service: Service | undefined;

beforeAll(async () => {
  kafka = testKafka();
  s3 = await startS3();
  const { endpoint, region, env } = s3;
  const credentials = {
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const Key of ['motorcycle.jpg', 'vase.jpg']) {
    const Body = readFileSync(packageFile(`samples/${Key}`));
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  }
  client.destroy();
}, 600_000); // Go installs it the first time
afterAll(async () => {
  await service?.end('SIGKILL');
  await s3.stop();
});

const keyOf = (index: number): string => KEYS[index % KEYS.length] ?? '';

function messages(from: number, count: number): Message[] {
  return Array.from({ length: count }, (_, offset) => {
    const index = from + offset;
    const image = { uri: `s3://${bucket}/${keyOf(index)}` };
    const value = asJson(anImageEvent({ eventId: `event-${index}`, image }));
    return { key: `event-${index}`, value, partition: index % 2 };
  });
}

it('an outage of the store holds the events, and then each gets the verdict that it deserves', async () => {
  const topics = {
    input: await createTopic(kafka, 2),
    verdicts: await createTopic(kafka),
    deadLetters: await createTopic(kafka),
  };
  const { endpoint, region, env } = s3;
  service = await startService({
    topics,
    groupId: uniqueName('group'),
    env,
    config: {
      images: { decoders: 1, s3: { endpoint, region, forcePathStyle: true, attempts: 1 } },
    },
  });
  const { output, url } = service;
  const gathered = gather(kafka, topics.verdicts);
  await publish(kafka, topics.input, messages(0, BEFORE));
  await until(() => gathered.verdicts.length === BEFORE, { explain: output });

  await s3.kill();
  await publish(kafka, topics.input, messages(BEFORE, DURING));
  const parked = async (): Promise<number> => {
    const text = await (await fetch(`${await url()}/metrics`)).text();
    return parsePrometheusText(text).value('moderato_parked', { dependency: 's3' }) ?? 0;
  };
  await until(async () => (await parked()) >= DURING, { explain: output });
  expect(output()).toContain('holding records until it is over: image_store_unavailable');
  expect(gathered.verdicts).toHaveLength(BEFORE);

  await s3.restart();
  await until(() => gathered.verdicts.length >= BEFORE + DURING, { explain: output });
  expect(await service.end('SIGTERM')).toBe(0);
  await gathered.stop();

  const expected = Array.from({ length: BEFORE + DURING }, (_, index) => {
    const outcome = OUTCOMES[keyOf(index)];
    return [`event-${index}`, outcome, outcome === 'not_inspected' ? 'image_not_found' : null];
  });
  const verdicts = gathered.verdicts.map(({ eventId, outcome, reason }) => [
    eventId,
    outcome,
    reason?.code ?? null,
  ]);
  expect(verdicts.sort()).toEqual(expected.sort());
});
