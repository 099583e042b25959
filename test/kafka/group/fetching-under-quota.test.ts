import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GroupConsumer } from '../../../src/kafka/group/group-consumer.ts';
import type { Logger } from '../../../src/logger.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeCluster, TOPIC } from '../../support/fake-cluster.ts';

let broker: FakeCluster;
let clock: FakeClock;
let consumer: GroupConsumer;
let warnings: string[];

/** Bytes that an answer may have; a record is larger or smaller. */
let left: number;
/** Bytes of the next record of each partition, by partition; the same for all that follow it. */
let sizes: number[];
let asked: Array<{ maxBytes: number; partitions: number[] }>;

beforeEach(async () => {
  broker = new FakeCluster();
  clock = new FakeClock();
  warnings = [];
  left = Infinity;
  sizes = [100, 100];
  asked = [];
  broker.answer = (api, parameters) => (api === 'Fetch' ? fetch(parameters) : undefined);
  const logger = { info: noop, debug: noop, error: noop, warn: log } as unknown as Logger;
  consumer = new GroupConsumer({
    kafka: broker.client,
    topics: [TOPIC],
    groupId: 'group',
    startFrom: 'earliest',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    heartbeatIntervalMs: 1_000,
    maxWaitMs: 200,
    maxFetchBytes: 8 * 2 ** 20,
    discoveryIntervalMs: 30_000,
    clock,
    logger,
    handler: {
      onAssigned: noop,
      onReady: noop,
      onFetched: noop,
      onRebalancing: () => Promise.resolve(),
      onDeleted: noop,
      onThrottled: noop,
      onFailure: noop,
      roomFor: () => 2 ** 30,
    },
  });
  void consumer.run();
  await settle();
});
afterEach(() => consumer.close());

const noop = (): undefined => undefined;
const log = (fields: object, text: string): unknown =>
  warnings.push(`${JSON.stringify(fields)} ${text}`);

interface Asked {
  maxBytes: number;
  topics: [{ partitions: Array<{ partition: number; fetchOffset: string }> }];
}

/** As a broker answers: the first record whatever its size, and nothing if that exceeds the quota. */
async function fetch(parameters: Record<string, unknown>) {
  const { maxBytes, topics } = parameters as unknown as Asked;
  const [{ partitions }] = topics;
  asked.push({ maxBytes, partitions: partitions.map(({ partition }) => partition) });
  await clock.sleep(1_000);
  const [first] = partitions;
  const size = Math.max(maxBytes > 2 ** 20 ? maxBytes : 0, sizes[first?.partition ?? 0] ?? 0);
  if (!first || size > left) return { throttleTime: 1_000, responses: [] };
  const position = Number(first.fetchOffset);
  const answer = {
    partition: first.partition,
    errorCode: 0,
    highWatermark: '100',
    lastStableOffset: '100',
    records: [],
    bytes: size,
    nextOffset: position + 1,
  };
  return { throttleTime: 0, responses: [{ topicName: TOPIC, partitions: [answer] }] };
}

describe('fetching from a broker', () => {
  it('asks first for the partition that was served longest ago', async () => {
    await clock.advance(4_000);
    expect(asked.map(({ partitions }) => partitions[0])).toEqual([0, 1, 0, 1, 0]);
  });

  it('asks for less when a quota refuses the answer', async () => {
    left = 2 ** 20;
    await clock.advance(3_000);
    const sizesAsked = asked.slice(-3).map(({ maxBytes }) => maxBytes / 1_024);
    expect(sizesAsked).toEqual([64, 128, 192]);
    expect(warnings).toEqual([]);
  });

  it('names a record that exceeds the quota once, and reads the other partitions meanwhile', async () => {
    left = 1_000;
    sizes = [5_000, 100];
    await clock.advance(120_000);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('"topic":"images","partition":0,"offset":0,"throttleMs":1000');
    expect(warnings[0]).toContain('refuses the batch at images/0/0 even by itself');
    const others = consumer.readings().find(({ partition }) => partition === 1);
    expect(others?.position).toBeGreaterThan(50);
  });

  it('tries each partition for a whole window before it names a record of it', async () => {
    left = 1_000;
    sizes = [5_000, 5_000];
    await clock.advance(50_000);
    expect(warnings).toHaveLength(1);
    await clock.advance(20_000);
    expect(warnings).toHaveLength(2);
  });

  it('reads a record that exceeded the quota once the quota is raised', async () => {
    left = 1_000;
    sizes = [5_000, 100];
    await clock.advance(60_000);
    left = Infinity;
    await clock.advance(70_000);
    const [stuck] = consumer.readings();
    expect(stuck?.position).toBeGreaterThan(0);
  });

  it('leaves a partition to its turn while a quota refuses for less than a window', async () => {
    left = 0;
    await clock.advance(20_000);
    left = 1_000;
    await clock.advance(20_000);
    expect(warnings).toEqual([]);
  });
});
