import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Consumer } from 'kafkajs';
import type { EventSource } from '../../src/consumers/event-source.ts';
import { lanesOf } from '../../src/lane.ts';
import { memberCount } from '../support/consumer-group.ts';
import { createTopic, publish, testBrokers, testKafka, uniqueName } from '../support/kafka.ts';
import { openKafkaSource, type GroupReading } from '../support/kafka-source.ts';
import { numbered, Puller, until, upTo } from '../support/puller.ts';

// A broker takes its time on a busy machine.
jest.setTimeout(60_000);

const opened: EventSource[] = [];
const others: Consumer[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
  await Promise.all(others.splice(0).map((consumer) => consumer.disconnect()));
});

function open(...args: Parameters<typeof openKafkaSource>): EventSource {
  const source = openKafkaSource(...args);
  opened.push(source);
  return source;
}

async function topicOf(partitions: number): Promise<GroupReading> {
  const kafka = testKafka();
  return { kafka, topic: await createTopic(kafka, partitions), groupId: uniqueName('group') };
}

const assigned = (source: EventSource): number[] =>
  source.status().partitions.map(({ partition }) => partition);

describe('a member with an instance id', () => {
  it('is back in its partitions after a restart, and the other member notices nothing', async () => {
    const reading = await topicOf(4);
    const times = { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 300 };
    const assignments: object[] = [];
    const ignore = (): void => undefined;
    const info = (_: object, message: string): void => {
      if (message === 'partitions assigned') assignments.push(_);
    };
    const logger = { debug: ignore, warn: ignore, error: ignore, info };
    const steady = open(reading, { ...times, instanceId: 'steady', logger });
    const pulling = new Puller(steady);
    const pull = pulling.next();
    const first = open(reading, { ...times, instanceId: 'restarted' });
    void new Puller(first).next();
    await until(() => assigned(first).length === 2 && assigned(steady).length === 2, 30_000);
    const mine = assigned(first);
    await publish(reading.kafka, reading.topic, numbered(4, 1));
    const delivery = await pull;
    const before = assignments.length;

    await first.close();
    const second = open(reading, { ...times, instanceId: 'restarted' });
    const puller = new Puller(second);
    const again = (await puller.take(2)).map(({ record }) => record.partition);
    expect(again.toSorted()).toEqual(mine);
    expect(assigned(second)).toEqual(mine);
    expect(delivery?.revoked.aborted).toBe(false);
    expect(assignments).toHaveLength(before);
    expect(await memberCount(reading.kafka, reading.groupId)).toBe(2);
  });

  it('ends, and says why, when another process takes its id', async () => {
    const reading = await topicOf(1);
    const times = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 };
    const first = open(reading, { ...times, instanceId: 'pod-0' });
    const pull = new Puller(first).next();
    await until(() => assigned(first).length === 1);
    const second = open(reading, { ...times, instanceId: 'pod-0' });
    const next = new Puller(second).next();
    await expect(pull).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('kafka.instanceId pod-0') as unknown,
    });
    await publish(reading.kafka, reading.topic, numbered(1, 1));
    expect((await next)?.record.offset).toBe(0);
  });
});

describe('a rolling upgrade from kafkajs’ consumer', () => {
  it.each([
    ['that was there before', false],
    ['that comes later', true],
  ])('shares the partitions with one %s, and takes them all when it leaves', async (_, isLater) => {
    const reading = await topicOf(4);
    const seen = new Set<string>();
    const startOther = async (): Promise<Consumer> => {
      const { kafka, groupId, topic } = reading;
      const consumer = kafka.consumer({ groupId, heartbeatInterval: 300, rebalanceTimeout: 8_000 });
      others.push(consumer);
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
      await consumer.run({
        eachMessage: ({ partition }) => {
          seen.add(`other ${partition}`);
          return Promise.resolve();
        },
      });
      await joined;
      return consumer;
    };
    let other = isLater ? undefined : await startOther();
    const source = open(reading, { heartbeatIntervalMs: 300 });
    void (async () => {
      for await (const delivery of source.deliveries()) {
        seen.add(`ours ${delivery.record.partition}`);
        delivery.resolve();
      }
    })();
    if (isLater) await until(() => assigned(source).length === 4, 20_000);
    other ??= await startOther();
    await until(() => assigned(source).length === 2, 30_000);
    const ours = assigned(source);
    await publish(reading.kafka, reading.topic, numbered(4, 1));
    await until(() => seen.size === 4, 20_000);
    expect([...seen].toSorted()).toEqual(
      upTo(4)
        .map((partition) => `${ours.includes(partition) ? 'ours' : 'other'} ${partition}`)
        .toSorted(),
    );
    await other.disconnect();
    others.length = 0;
    await until(() => assigned(source).length === 4, 30_000);
  });
});

describe('a source with other lanes than those in its group', () => {
  it('reads them once it leads, and nobody is assigned what it does not read', async () => {
    const reading = await topicOf(4);
    const added = (await topicOf(2)).topic;
    const old = open(reading);
    const resolveAll = async (source: EventSource): Promise<void> => {
      for await (const delivery of source.deliveries()) delivery.resolve();
    };
    void resolveAll(old);
    await until(() => assigned(old).length === 4, 20_000);
    const lanes = lanesOf([{ topic: reading.topic, weight: 8 }, { topic: added }]);
    const replacement = open(reading, { lanes });
    void resolveAll(replacement);
    const topics = (source: EventSource): string[] =>
      source.status().partitions.map(({ topic }) => topic);
    await until(() => topics(old).length === 2 && topics(replacement).length >= 2, 30_000);
    expect(new Set(topics(old))).toEqual(new Set([reading.topic]));
    await publish(reading.kafka, added, numbered(2, 3));
    await old.close();
    await until(() => topics(replacement).length === 6, 30_000);
    await until(() => {
      const mine = replacement.status().partitions.filter(({ topic }) => topic === added);
      return mine.length === 2 && mine.every(({ committed }) => committed === 3);
    }, 30_000);
  });
});

describe('a source that was closed', () => {
  const script = (body: string): string => `
    import { systemClock } from './src/clock.ts';
    import { createKafkaEventSource } from './src/consumers/kafka-event-source.ts';
    import { testKafka } from './test/support/kafka.ts';
    const { brokers, topic, groupId } = JSON.parse(process.env.READING);
    const kafka = testKafka({ brokers });
    const lanes = [{ topic, weight: 1, priority: false }];
    const open = () => createKafkaEventSource({ kafka, lanes, groupId, clock: systemClock });
    ${body}
    console.log('closed');`;

  /** How long a process lives on after it has closed its source, in ms. */
  async function afterlife(reading: GroupReading, body: string): Promise<number> {
    const { topic, groupId } = reading;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script(body)], {
      env: { ...process.env, READING: JSON.stringify({ brokers: testBrokers(), topic, groupId }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let closedAt = Infinity;
    child.stdout.on('data', () => (closedAt = performance.now()));
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    return performance.now() - closedAt;
  }

  it.each([
    [
      'while it waits for records',
      'while (source.status().partitions[0]?.lag !== 0) await pause(20);',
    ],
    ['before it has joined', ''],
    ['while it connects', 'await pause(5);'],
    ['while it is stopped', 'await source.stop();'],
  ])('keeps no timer and no connection: its process ends (closed %s)', async (_, wait) => {
    const reading = await topicOf(1);
    const left = await afterlife(
      reading,
      `const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
       const source = open();
       const pull = source.deliveries().next();
       ${wait}
       await source.close();
       await pull;`,
    );
    expect(left).toBeLessThan(3_000);
    await until(async () => (await memberCount(reading.kafka, reading.groupId)) === 0);
  });

  it('leaves at once while a rebalance waits for another member', async () => {
    const reading = await topicOf(2);
    // This one takes its time to join again: its drain waits for a record that is never resolved.
    const slow = open(reading, { revokeDrainMs: 20_000, rebalanceTimeoutMs: 30_000 });
    await publish(reading.kafka, reading.topic, numbered(2, 1));
    await new Puller(slow).take(2);
    const guest = open(reading);
    void new Puller(guest).next();
    await until(async () => (await memberCount(reading.kafka, reading.groupId)) === 2);
    const startedAt = performance.now();
    await guest.close();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await until(async () => (await memberCount(reading.kafka, reading.groupId)) === 1);
  });
});
