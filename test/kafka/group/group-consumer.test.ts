import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  GroupConsumer,
  type AssignmentChange,
  type GroupConsumerOptions,
  type GroupHandler,
} from '../../../src/kafka/group/group-consumer.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeCluster, TOPIC } from '../../support/fake-cluster.ts';
import { protocolError } from '../../support/kafka-faults.ts';

const HEARTBEAT_MS = 1_000;

let clock: FakeClock;
let broker: FakeCluster;
let changes: AssignmentChange[];
let ready: string[];
let failures: Error[];

beforeEach(() => {
  clock = new FakeClock();
  broker = new FakeCluster();
  changes = [];
  ready = [];
  failures = [];
});

/** A member of the group, joined and reading. */
async function join(
  handler: Partial<GroupHandler> = {},
  options: Partial<GroupConsumerOptions> = {},
): Promise<GroupConsumer> {
  const consumer = new GroupConsumer({
    kafka: broker.client,
    topics: [TOPIC],
    groupId: 'g',
    startFrom: 'earliest',
    sessionTimeoutMs: 6_000,
    rebalanceTimeoutMs: 10_000,
    heartbeatIntervalMs: HEARTBEAT_MS,
    maxWaitMs: 200,
    maxFetchBytes: 2 ** 20,
    discoveryIntervalMs: 1_000_000,
    clock,
    handler: {
      onAssigned: (change) => changes.push(change),
      onReady: ({ partition, start }) => ready.push(`${partition}@${start}`),
      onFetched: () => undefined,
      onRebalancing: () => Promise.resolve(),
      onDeleted: () => undefined,
      onThrottled: () => undefined,
      onFailure: (error) => failures.push(error),
      roomFor: () => 2 ** 20,
      ...handler,
    },
    ...options,
  });
  void consumer.run();
  await settle();
  return consumer;
}

/** The group calls for a rebalance at the next heartbeat; the generation after has these partitions. */
async function rebalance(assigned: number[]): Promise<void> {
  let isCalled = false;
  broker.answer = (api) => {
    if (api !== 'Heartbeat' || isCalled) return undefined;
    isCalled = true;
    broker.assigned = assigned;
    broker.generation += 1;
    throw protocolError('REBALANCE_IN_PROGRESS');
  };
  await clock.advance(HEARTBEAT_MS);
}

const numbers = (partitions: ReadonlyArray<{ partition: number }> | undefined): number[] =>
  (partitions ?? []).map(({ partition }) => partition);

/** A refusal as the fetch decoder gives it: what was asked for is not in the log. */
const outOfRange = (partition: number) => ({
  partition,
  errorCode: 1,
  highWatermark: '100',
  lastStableOffset: '100',
  messages: [],
});

const place = (partition: number) => ({ topic: TOPIC, partition });

describe('a member of a group', () => {
  it('reads from where the group has committed, and commits where it begins before it reads there', async () => {
    broker.committed.set(0, 7);
    broker.start = 3;
    await join();
    expect(ready).toEqual(['0@7', '1@3']);
    expect(broker.log.filter((each) => /Commit|Fetch \d/.test(each))).toEqual([
      'OffsetCommit',
      'Fetch 0@7',
    ]);
  });

  it('begins at the end with `latest` only in a group that has committed nothing at all', async () => {
    await join({}, { startFrom: 'latest' });
    expect(ready).toEqual(['0@100', '1@100']);
    ready = [];
    broker = new FakeCluster();
    broker.committed.set(0, 7);
    await join({}, { startFrom: 'latest' });
    expect(ready).toEqual(['0@7', '1@0']);
  });

  it('goes on with what it keeps: no position is asked for again, and what it gains is read beside it', async () => {
    broker.assigned = [0];
    await join();
    await rebalance([0, 1]);
    expect(numbers(changes[1]?.kept)).toEqual([0]);
    expect(numbers(changes[1]?.gained)).toEqual([1]);
    expect(changes[1]?.lost).toEqual([]);
    expect(ready).toEqual(['0@0', '1@0']);
  });

  it('reads all anew after a generation that it has missed: another member may have had them', async () => {
    await join();
    broker.generation += 1;
    await rebalance([0, 1]);
    expect(numbers(changes[1]?.kept)).toEqual([]);
    expect(numbers(changes[1]?.lost)).toEqual([0, 1]);
    expect(numbers(changes[1]?.gained)).toEqual([0, 1]);
    expect(ready).toHaveLength(4);
  });

  it('reads all anew after the group has dropped it', async () => {
    await join();
    broker.answer = (api) => {
      if (api !== 'Heartbeat') return undefined;
      broker.answer = () => undefined;
      broker.generation += 1;
      throw protocolError('UNKNOWN_MEMBER_ID');
    };
    await clock.advance(HEARTBEAT_MS);
    expect(numbers(changes[1]?.lost)).toEqual([0, 1]);
    expect(numbers(changes[1]?.gained)).toEqual([0, 1]);
  });

  it('goes on where the log begins when retention has deleted what was next, also with `latest`', async () => {
    const deleted: string[] = [];
    broker.assigned = [0];
    broker.committed.set(0, 7);
    broker.start = 40;
    let isRefused = false;
    broker.answer = (api) => {
      if (api !== 'Fetch' || isRefused) return undefined;
      isRefused = true;
      return { throttleTime: 0, responses: [{ topicName: TOPIC, partitions: [outOfRange(0)] }] };
    };
    await join(
      { onDeleted: ({ partition, from, to }) => deleted.push(`${partition}: ${from} to ${to}`) },
      { startFrom: 'latest' },
    );
    expect(deleted).toEqual(['0: 7 to 40']);
    expect(broker.log.filter((each) => each.startsWith('Fetch'))).toEqual([
      'Fetch 0@7',
      'Fetch 0@40',
    ]);
  });

  it('lets its user drain before it joins again, and sends heartbeats meanwhile', async () => {
    const drained = Promise.withResolvers<undefined>();
    await join({ onRebalancing: () => drained.promise });
    await rebalance([0]);
    const beats = broker.times('Heartbeat');
    await clock.advance(5 * HEARTBEAT_MS);
    expect(broker.times('JoinGroup')).toBe(1);
    expect(broker.times('Heartbeat')).toBeGreaterThanOrEqual(beats + 4);
    drained.resolve(undefined);
    await settle();
    expect(broker.times('JoinGroup')).toBe(2);
  });

  it('keeps its place while heartbeats are not answered, and asks again', async () => {
    await join();
    broker.answer = (api) => {
      if (api === 'Heartbeat') throw protocolError('NOT_COORDINATOR_FOR_GROUP', true);
      return undefined;
    };
    await clock.advance(3 * HEARTBEAT_MS);
    broker.answer = () => undefined;
    await clock.advance(3 * HEARTBEAT_MS);
    expect([broker.times('JoinGroup'), failures]).toEqual([1, []]);
  });

  it('leaves when it is closed; with an instance id it stays, for it is expected back', async () => {
    const consumer = await join();
    await consumer.close();
    expect(broker.times('LeaveGroup')).toBe(1);
    const fixed = await join({}, { instanceId: 'pod-0' });
    await fixed.close();
    expect(broker.times('LeaveGroup')).toBe(1);
  });

  it('ends with what to do when another process has taken its instance id', async () => {
    await join({}, { instanceId: 'pod-0' });
    broker.answer = (api) => {
      if (api === 'Heartbeat') throw protocolError('FENCED_INSTANCE_ID');
      return undefined;
    };
    await clock.advance(HEARTBEAT_MS);
    expect(failures).toEqual([expect.objectContaining({ code: 'config_invalid' })]);
  });

  it.each([
    ['GROUP_AUTHORIZATION_FAILED', 'kafka_unauthorized'],
    ['TOPIC_AUTHORIZATION_FAILED', 'kafka_unauthorized'],
  ])('ends when the group answers %s: %s', async (type, code) => {
    broker.answer = (api) => {
      if (api === 'JoinGroup') throw protocolError(type);
      return undefined;
    };
    await join();
    expect(failures).toEqual([expect.objectContaining({ code })]);
  });
});

describe('a member that fences off former owners', () => {
  let acquired: string[];
  let fence: () => Promise<void>;
  const beforeReady: GroupHandler['beforeReady'] = async (partitions, others) => {
    await fence();
    acquired.push(`${numbers(partitions).join(',')} ${others}`);
  };

  beforeEach(() => {
    acquired = [];
    fence = () => Promise.resolve();
  });

  it('asks for no position before they are fenced off, and begins at what they had committed', async () => {
    const fenced = Promise.withResolvers<undefined>();
    fence = () => fenced.promise;
    broker.committed.set(0, 5).set(1, 5);
    await join({ beforeReady });
    await clock.advance(500);
    expect([broker.times('OffsetFetch'), broker.times('Fetch')]).toEqual([0, 0]);
    broker.committed.set(0, 9); // a transaction that was under way
    fenced.resolve(undefined);
    await settle();
    expect(acquired).toEqual(['0,1 release']);
    expect(ready).toEqual(['0@9', '1@5']);
  });

  it('tries again while the broker is away', async () => {
    let attempts = 0;
    fence = () => {
      attempts += 1;
      return attempts < 3
        ? Promise.reject(protocolError('COORDINATOR_NOT_AVAILABLE', true))
        : Promise.resolve();
    };
    await join({ beforeReady });
    await clock.advance(2_000);
    expect([attempts, acquired, ready]).toEqual([3, ['0,1 release'], ['0@0', '1@0']]);
  });

  it('ends when it may not use its transactional ids', async () => {
    fence = () => Promise.reject(protocolError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'));
    await join({ beforeReady });
    expect(failures).toEqual([expect.objectContaining({ code: 'kafka_unauthorized' })]);
    expect(ready).toEqual([]);
  });

  it('reads a rewound partition again only after a heartbeat: a zombie would fence the new owner', async () => {
    const consumer = await join({ beforeReady });
    consumer.rewind(place(0));
    await clock.advance(HEARTBEAT_MS - 1);
    expect(acquired).toEqual(['0,1 release']);
    broker.committed.set(0, 4);
    await clock.advance(1);
    expect(acquired).toEqual(['0,1 release', '0 keep']);
    expect(ready.at(-1)).toBe('0@4');
  });

  it('leaves a rewound partition alone that a rebalance gives away', async () => {
    const consumer = await join({ beforeReady });
    consumer.rewind(place(0));
    await rebalance([1]);
    await clock.advance(2 * HEARTBEAT_MS);
    expect(acquired).toEqual(['0,1 release']);
  });

  it('reads a rewound partition again after a rebalance that leaves it here', async () => {
    const consumer = await join({ beforeReady });
    consumer.rewind(place(0));
    await rebalance([0, 1]);
    await clock.advance(2 * HEARTBEAT_MS);
    expect(acquired).toEqual(['0,1 release', '0 keep']);
    expect(ready.filter((each) => each.startsWith('0@'))).toHaveLength(2);
  });
});
