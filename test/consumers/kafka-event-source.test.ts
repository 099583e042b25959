import { beforeEach, describe, expect, it } from '@jest/globals';
import type { KafkaEventSourceOptions } from '../../src/consumers/kafka-options.ts';
import { offsets } from '../support/puller.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import {
  FakeKafka,
  joinedSource,
  protocolError,
  type JoinedSource,
} from '../support/fake-kafka.ts';

const HEARTBEAT_MS = 3_000;

let clock: FakeClock;
let broker: FakeKafka;

beforeEach(() => {
  clock = new FakeClock();
  broker = new FakeKafka();
});

function joined(
  partitions: number[],
  options: Partial<KafkaEventSourceOptions> = {},
): Promise<JoinedSource> {
  return joinedSource(broker, partitions, { clock, ...options });
}

describe('the Kafka source while nobody pulls', () => {
  it('holds what it has fetched, goes on sending heartbeats and fetches nothing more', async () => {
    const { pull, puller, consumer } = await joined([0]);
    const fetch = consumer.fetch(0, [0, 1]);
    await pull;
    await clock.advance(10 * HEARTBEAT_MS);
    expect(consumer.heartbeats).toBeGreaterThanOrEqual(10);
    expect(consumer.resolved).toEqual(['0/0']);
    expect(consumer.log).toEqual(['pause']);
    expect(puller.source.status().paused).toBe(true);

    expect(offsets(await puller.take(1))).toEqual([1]);
    await fetch;
    expect(consumer.log).toEqual(['pause', 'resume']);
    expect(puller.source.status().paused).toBe(false);
  });

  it('does not pause for a wait as short as the pipeline breathes', async () => {
    const { pull, puller, consumer } = await joined([0]);
    const fetch = consumer.fetch(0, [0, 1, 2]);
    await pull;
    for (let n = 0; n < 2; n += 1) {
      await clock.advance(HEARTBEAT_MS / 4);
      await puller.take(1);
    }
    await fetch;
    expect(consumer.log).toEqual([]);
  });
});

describe('the Kafka source in a rebalance', () => {
  it('leaves the fetch without the records it has not handed out', async () => {
    const { pull, consumer } = await joined([0]);
    const fetch = consumer.fetch(0, [0, 1, 2]);
    (await pull)?.resolve();
    consumer.heartbeat = () => Promise.reject(protocolError('REBALANCE_IN_PROGRESS'));
    const left = expect(fetch).rejects.toMatchObject({ type: 'REBALANCE_IN_PROGRESS' });
    await clock.advance(HEARTBEAT_MS);
    await left;
    expect(consumer.resolved).toEqual(['0/0']);
    expect(consumer.commits).toEqual([[{ partition: 0, offset: '1' }]]);
  });

  it('waits a moment for what is in flight and commits it before it joins again', async () => {
    const { pull, consumer } = await joined([0], { revokeDrainMs: 1_000 });
    const fetch = consumer.fetch(0, [0, 1]);
    const delivery = await pull;
    consumer.heartbeat = () => Promise.reject(protocolError('REBALANCE_IN_PROGRESS'));
    const left = expect(fetch).rejects.toThrow('REBALANCE_IN_PROGRESS');
    await clock.advance(HEARTBEAT_MS / 2 + 500);
    expect(consumer.commits).toEqual([]);
    delivery?.resolve();
    await clock.advance(100);
    await left;
    expect(consumer.commits).toEqual([[{ partition: 0, offset: '1' }]]);
  });

  it('does not wait longer than it may', async () => {
    const { pull, consumer } = await joined([0], { revokeDrainMs: 1_000 });
    const fetch = consumer.fetch(0, [0, 1]);
    await pull;
    consumer.heartbeat = () => Promise.reject(protocolError('REBALANCE_IN_PROGRESS'));
    const left = expect(fetch).rejects.toThrow('REBALANCE_IN_PROGRESS');
    await clock.advance(HEARTBEAT_MS / 2 + 1_100);
    await left;
    expect(consumer.commits).toEqual([]);
  });

  it('hands out nothing of the fetches that were waiting behind', async () => {
    const { puller, pull, consumer } = await joined([0, 1]);
    const first = consumer.fetch(0, [0, 1]);
    await pull;
    consumer.heartbeat = () => Promise.reject(protocolError('REBALANCE_IN_PROGRESS'));
    const left = expect(first).rejects.toThrow();
    await clock.advance(2 * HEARTBEAT_MS);
    await left;
    void puller.next();
    await consumer.fetch(1, [0]);
    expect(consumer.resolved).toEqual(['0/0']);
  });

  it('goes on in its generation when the group confirms that after all, with no join between', async () => {
    const { puller, pull, consumer } = await joinedSource(broker, [0], { clock });
    const fetched = consumer.fetch(0, [0]);
    expect((await pull)?.record.offset).toBe(0);
    await fetched;
    const next = puller.next();
    consumer.heartbeat = () => Promise.reject(protocolError('NOT_COORDINATOR_FOR_GROUP'));
    const failed = consumer.fetch(0, [1]).catch((error: unknown) => error);
    await clock.advance(5_000); // the drain
    expect(await failed).toMatchObject({ type: 'NOT_COORDINATOR_FOR_GROUP' });
    consumer.heartbeat = () => Promise.resolve();
    await consumer.fetch(0, [1]); // not settled: handed to nobody
    expect(await Promise.race([next, settle()])).toBeUndefined();
    consumer.emit('HEARTBEAT');
    await consumer.fetch(0, [1]);
    expect((await next)?.record.offset).toBe(1);
  });

  it('ignores what was in flight when it comes back, and has it delivered again', async () => {
    const { puller, pull, consumer } = await joined([0]);
    const first = consumer.fetch(0, [0]);
    const late = await pull;
    await first;
    consumer.emit('REBALANCING');
    consumer.join('images', [0]);
    const again = puller.take(2);
    await consumer.fetch(0, [0, 1]);
    late?.resolve();
    await clock.advance(5_000);
    expect(consumer.commits).toEqual([]);

    for (const delivery of await again) delivery.resolve();
    await clock.advance(1_000);
    expect(consumer.commits).toEqual([[{ partition: 0, offset: '2' }]]);
  });

  it('never commits a partition that it has lost', async () => {
    const { puller, pull, consumer } = await joined([0, 1]);
    void consumer.fetch(0, [0]);
    const lost = await pull;
    consumer.emit('REBALANCING');
    consumer.join('images', [1]);
    lost?.resolve();
    const next = puller.next();
    await consumer.fetch(1, [0]);
    (await next)?.resolve();
    await clock.advance(5_000);
    expect(consumer.commits).toEqual([[{ partition: 1, offset: '1' }]]);
    expect(puller.source.status().partitions.map(({ partition }) => partition)).toEqual([1]);
  });

  it('goes back to the committed offsets when kafkajs joins behind the back of its fetchers', async () => {
    const { puller, pull, consumer } = await joined([0, 1]);
    const first = consumer.fetch(0, [0]);
    await pull;
    await first;
    void puller.next();

    let answer: (value?: unknown) => void = () => undefined;
    broker.answer = new Promise((resolve) => (answer = resolve));
    broker.committed = { 1: 40 };
    consumer.join('images', [0, 1]); // no REBALANCING before it: fetched records may still be queued
    await consumer.fetch(0, [1, 2]);
    expect(consumer.resolved).toEqual(['0/0']);
    expect(consumer.log).toEqual(['pause']);

    answer();
    await settle();
    expect(consumer.log).toEqual(['pause', 'seek 0/0', 'seek 1/40', 'resume']);
    await consumer.fetch(0, [0]);
    expect(consumer.resolved).toEqual(['0/0', '0/0']);
  });

  it('hands out nothing that it fetched before a join, however long its first commit took', async () => {
    const { consumer } = await joined([0], { startFrom: 'latest' });
    let committed = (): void => undefined;
    consumer.commit = () => new Promise((resolve) => (committed = resolve));
    const fetch = consumer.fetch(0, [70]);
    await settle();
    consumer.join('images', [0]);
    await settle();
    committed();
    await fetch;
    expect(consumer.resolved).toEqual([]);
  });

  it('lets go of a fetch at once when the group is joined while it waits for a pull', async () => {
    const { pull, consumer } = await joined([0]);
    const fetch = consumer.fetch(0, [0, 1]);
    await pull;
    await settle();
    consumer.join('images', [0]);
    await fetch;
    expect(consumer.resolved).toEqual(['0/0']);
  });
});

describe('the positions of the Kafka source', () => {
  it('counts control records as done once the records before them are', async () => {
    const { puller, pull, consumer } = await joined([0]);
    const fetch = consumer.fetch(0, [0, 1], { lastOffset: 2 });
    const deliveries = [await pull, await puller.next()];
    await fetch;
    for (const delivery of deliveries) delivery?.resolve();
    await clock.advance(1_000);
    expect(consumer.commits).toEqual([[{ partition: 0, offset: '3' }]]);
    expect(puller.source.status().partitions).toEqual([
      { topic: 'images', partition: 0, committed: 3, lag: 0 },
    ]);
  });

  it('moves past a fetch in which the broker had nothing for us', async () => {
    const { pull, consumer } = await joined([0]);
    await Promise.all([consumer.fetch(0, [0]), pull.then((delivery) => delivery?.resolve())]);
    consumer.emit('START_BATCH_PROCESS', { batchSize: 0, partition: 0, lastOffset: '8' });
    await clock.advance(1_000);
    expect(consumer.commits.at(-1)).toEqual([{ partition: 0, offset: '9' }]);
  });

  it('commits where it begins before it hands out the first record after `latest`', async () => {
    const { pull, consumer } = await joined([0], { startFrom: 'latest' });
    const fetch = consumer.fetch(0, [70]);
    await settle();
    expect(consumer.commits).toEqual([[{ partition: 0, offset: '70' }]]);
    expect((await pull)?.record.offset).toBe(70);
    await fetch;
  });

  it('knows the lag of partitions that have nothing to read', async () => {
    broker.committed = { 0: 60 };
    const { puller } = await joined([0, 1]);
    const lags = (): unknown => puller.source.status().partitions.map(({ lag }) => lag);
    expect(lags()).toEqual([40, 100]);
    broker.ends = { 0: 100, 1: 130 };
    await clock.advance(30_000);
    expect(lags()).toEqual([40, 130]);
  });

  it('makes up for a commit that failed', async () => {
    const { pull, consumer } = await joined([0]);
    consumer.commit = () => Promise.reject(new Error('connection lost'));
    await Promise.all([consumer.fetch(0, [0]), pull.then((delivery) => delivery?.resolve())]);
    await clock.advance(1_000);
    expect(consumer.commits).toEqual([]);
    consumer.commit = () => Promise.resolve();
    await clock.advance(1_000);
    expect(consumer.commits).toEqual([[{ partition: 0, offset: '1' }]]);
  });
});

it('shares out a fetch among the partitions', async () => {
  const { consumer } = await joined([0], { maxFetchBytes: 8_000_000 });
  expect(consumer.config).toMatchObject({ maxBytes: 8_000_000, maxBytesPerPartition: 4_000_000 });
});
