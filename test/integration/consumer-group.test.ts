import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import type { EventSource } from '../../src/consumers/event-source.ts';
import { repeat } from '../../src/consumers/repeat.ts';
import { committedOffset, committedOffsets, memberCount } from '../support/consumer-group.ts';
import type { ConsumerChildOptions } from '../support/consumer-child.ts';
import { numbered, offsets, Puller, until, upTo } from '../support/puller.ts';
import { openKafkaSource, Tally, type GroupReading } from '../support/kafka-source.ts';
import { createTopic, publish, testBrokers, testKafka, uniqueName } from '../support/kafka.ts';

const opened: EventSource[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((source) => source.close()));
});

function open(...args: Parameters<typeof openKafkaSource>): EventSource {
  const source = openKafkaSource(...args);
  opened.push(source);
  return source;
}

async function topicWith(partitions: number, perPartition: number): Promise<GroupReading> {
  const kafka = testKafka();
  const topic = await createTopic(kafka, partitions);
  await publish(kafka, topic, numbered(partitions, perPartition));
  return { kafka, topic, groupId: uniqueName('group') };
}

describe('a member of a real group', () => {
  it('stays a member while the pipeline is busy for longer than the session', async () => {
    const reading = await topicWith(2, 5);
    const joins: object[] = [];
    const ignore = (): void => undefined;
    const logger = {
      debug: ignore,
      warn: ignore,
      error: ignore,
      info: (o: object) => joins.push(o),
    };
    const source = open(reading, { sessionTimeoutMs: 1_200, heartbeatIntervalMs: 300, logger });
    const puller = new Puller(source);
    const first = await puller.take(2);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(source.status()).toMatchObject({ alive: true, paused: true });

    const rest = await puller.take(8);
    const waiting = puller.next(); // all is in flight and nothing is left to fetch: idle in another way
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    for (const delivery of [...first, ...rest]) delivery.resolve();
    await until(async () => (await committedOffset(...place(reading, 0))) === 5);
    expect(joins).toHaveLength(1);
    expect(await memberCount(reading.kafka, reading.groupId)).toBe(1);
    await source.stop();
    await waiting;
  }, 30_000);

  it('keeps its membership after stop, so that what is in flight can still be committed', async () => {
    const reading = await topicWith(1, 5);
    const source = open(reading, { sessionTimeoutMs: 1_200, heartbeatIntervalMs: 300 });
    const taken = await new Puller(source).take(3);
    await source.stop();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    for (const delivery of taken) delivery.resolve();
    await until(async () => (await committedOffset(...place(reading, 0))) === 3);
    await source.close();
    expect(await memberCount(reading.kafka, reading.groupId)).toBe(0);
  }, 30_000);

  it('shares the work with one that comes and goes: nothing is lost, no commit runs ahead', async () => {
    const reading = await topicWith(4, 300);
    const tally = new Tally();
    const lost: string[] = [];
    const done = new AbortController();
    const watch = repeat({ clock: systemClock, intervalMs: 100, signal: done.signal }, async () => {
      lost.push(...(await tally.lost(reading)));
    });

    const steady = open(reading);
    const work = [tally.work(steady)];
    await until(() => tally.resolved.size > 100);
    const guest = open(reading);
    work.push(tally.work(guest));
    await until(() => guest.status().partitions.length === 2);
    await until(() => steady.status().partitions.length === 2);
    await until(() => guest.status().partitions.some(({ committed }) => committed > 0));
    await guest.close();
    await until(() => tally.resolved.size === 1_200, 20_000);
    await until(() => steady.status().partitions.every(({ lag }) => lag === 0));
    done.abort();
    await steady.close();
    await Promise.all([...work, watch]);

    expect(lost).toEqual([]);
    expect([
      ...(await committedOffsets(reading.kafka, reading.groupId, reading.topic)).values(),
    ]).toEqual([300, 300, 300, 300]);
    const again = [...tally.delivered.values()].filter((times) => times > 1).length;
    expect(again).toBeLessThan(600); // at least once, but not everything twice
  }, 60_000);

  it('takes over from a process that was killed, from where that had committed', async () => {
    const reading = await topicWith(1, 20);
    const times = { sessionTimeoutMs: 2_000, heartbeatIntervalMs: 300 };
    const options: ConsumerChildOptions = {
      ...times,
      brokers: testBrokers(),
      topic: reading.topic,
      groupId: reading.groupId,
      resolve: 8,
    };
    const script = fileURLToPath(new URL('../support/consumer-child.ts', import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let lines = 0;
    createInterface({ input: child.stdout }).on('line', () => (lines += 1));
    await until(async () => lines === 20 && (await committedOffset(...place(reading, 0))) === 8);
    child.kill('SIGKILL');
    await once(child, 'exit');

    const taken = await new Puller(open(reading, times)).take(12);
    expect(offsets(taken)).toEqual(upTo(20).slice(8));
  }, 30_000);

  it('begins at the end with `latest`, and does not skip what was in flight when it is lost', async () => {
    const reading = await topicWith(1, 5);
    const first = new Puller(open(reading, { startFrom: 'latest' }));
    const pull = first.next();
    await until(() => first.source.status().partitions[0]?.lag === 0);
    await publish(reading.kafka, reading.topic, numbered(1, 3));
    expect((await pull)?.record.offset).toBe(5);
    await first.source.close();

    const second = new Puller(open(reading, { startFrom: 'latest' }));
    expect(offsets(await second.take(3))).toEqual([5, 6, 7]);
  }, 30_000);

  it('says what to do when its topic is not there', async () => {
    const kafka = testKafka();
    const source = open({ kafka, topic: uniqueName('nowhere'), groupId: uniqueName('group') });
    await expect(new Puller(source).next()).rejects.toMatchObject({ code: 'topic_missing' });
    expect(source.status().alive).toBe(false);
  });
});

function place(
  { kafka, groupId, topic }: GroupReading,
  partition: number,
): [GroupReading['kafka'], string, string, number] {
  return [kafka, groupId, topic, partition];
}
