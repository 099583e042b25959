/** What reading costs under a quota: how much of it is used, and whether the group notices. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOffsets } from '../bench/verdict-log.ts';
import { createTopics, withAdmin } from '../src/kafka/topics.ts';
import { EventPublisher, type Outgoing } from './publisher.ts';
import { setQuotas } from './quotas.ts';
import { startService } from './service.ts';
import type { World } from './world.ts';

export interface QuotaOptions {
  seconds: number;
  package?: string | undefined;
  say: (line: string) => void;
}

export interface QuotaFigures {
  seconds: number;
  kBPerSecond: number;
  judged: number;
  /** How often the group gave the service its partitions. */
  assignments: number;
  /** `moderato.consumer.throttled` */
  throttledSeconds: number;
  /** Whether the log says that the broker throttles. */
  isLogged: boolean;
  exits: readonly string[];
}

export const QUOTA_BYTES = 200_000;
export const RECORD_BYTES = 511_000;
/** The part of the quota that must be used. */
export const LEAST_PART = 0.4;
const TOPIC = 'quota.images';
const VERDICTS = 'quota.verdicts';
const CLIENT = 'quota-client';
const SESSION_MS = 10_000;
const PARTITIONS = 4;
/** Beyond what the quota lets through, in records. */
const MARGIN = 40;

/** Reads large records for a while with `consumer_byte_rate` and `producer_byte_rate` set for the client id. */
export async function measureQuota(world: World, options: QuotaOptions): Promise<QuotaFigures> {
  const { seconds, say } = options;
  const { kafka, cluster, producer, folder } = world;
  const [broker = ''] = cluster.bootstrap;
  await createTopics(
    kafka,
    [TOPIC, VERDICTS, 'quota.dead-letters'].map((topic) => ({ topic, partitions: PARTITIONS })),
  );
  await setQuotas(broker, CLIENT, {
    consumer_byte_rate: QUOTA_BYTES,
    producer_byte_rate: QUOTA_BYTES,
  });
  const records = Math.ceil((seconds * QUOTA_BYTES) / RECORD_BYTES) + MARGIN;
  say(`quota: publishing ${records} records of ${RECORD_BYTES / 1_000} kB`);
  await publishLarge(new EventPublisher(producer), world, records);
  const { service, port, logFile } = await startService({
    name: 'quota',
    folder,
    package: options.package,
    config: {
      kafka: {
        brokers: cluster.bootstrap,
        clientId: CLIENT,
        groupId: 'quota',
        sessionTimeoutMs: SESSION_MS,
      },
      topics: { input: TOPIC, verdicts: VERDICTS, deadLetters: 'quota.dead-letters' },
    },
  });
  try {
    const startedAt = performance.now();
    while (performance.now() - startedAt < seconds * 1_000) {
      await sleep(Math.min(10_000, seconds * 1_000 - (performance.now() - startedAt)));
      say(`quota: ${await countOf(world, VERDICTS)} verdicts`);
    }
    const judged = await countOf(world, VERDICTS);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const log = await readFile(logFile, 'utf8');
    return {
      seconds,
      judged,
      kBPerSecond: (judged * RECORD_BYTES) / 1_000 / seconds,
      assignments: log.split('"partitions assigned"').length - 1,
      throttledSeconds: Number(
        /^moderato_consumer_throttled_seconds_total(?:\{.*\})? (\S+)/m.exec(metrics)?.[1] ?? 0,
      ),
      isLogged: log.includes('the broker throttles this client'),
      exits: service.exits,
    };
  } finally {
    await service.close();
  }
}

/** Inline images of that size: a picture with zeros behind its end. */
async function publishLarge(
  publisher: EventPublisher,
  { pictures }: World,
  records: number,
): Promise<void> {
  const picture = pictures[0]?.bytes ?? Buffer.alloc(0);
  const padded = Buffer.alloc((RECORD_BYTES * 3) / 4);
  picture.copy(padded);
  const event = { image: { bytes: padded.toString('base64') } };
  for (let index = 0; index < records; index += 1) {
    const outgoing: Outgoing = { event, place: { topic: TOPIC, partition: index % PARTITIONS } };
    await publisher.publish('hot', [outgoing]);
  }
}

function countOf({ kafka }: World, topic: string): Promise<number> {
  return withAdmin(kafka, 'counting verdicts', (admin) => endOffsets(admin, topic));
}

export function brokenByQuota(figures: QuotaFigures): string[] {
  const { kBPerSecond, assignments, throttledSeconds, isLogged, exits } = figures;
  const part = (kBPerSecond * 1_000) / QUOTA_BYTES;
  return [
    ...(part >= LEAST_PART
      ? []
      : [`${part.toFixed(2)} of the quota is used, less than ${LEAST_PART}`]),
    ...(assignments === 1 ? [] : [`the group assigned partitions ${assignments} times, not once`]),
    ...(throttledSeconds > 0 ? [] : ['no throttling in moderato.consumer.throttled']),
    ...(isLogged ? [] : ['no throttling in the log']),
    ...(exits.length === 0 ? [] : [`the service ended: ${exits.join(', ')}`]),
  ];
}

export function renderQuota(figures: QuotaFigures): string {
  const { seconds, judged, kBPerSecond, assignments, throttledSeconds } = figures;
  const part = (kBPerSecond * 1_000) / QUOTA_BYTES;
  return (
    `quota of ${QUOTA_BYTES / 1_000} kB/s, records of ${RECORD_BYTES / 1_000} kB, session of ${SESSION_MS / 1_000} s: ` +
    `${judged} records in ${seconds} s, ${kBPerSecond.toFixed(0)} kB/s (${part.toFixed(2)} of the quota), ` +
    `${assignments} assignments, throttled for ${throttledSeconds.toFixed(0)} s`
  );
}
