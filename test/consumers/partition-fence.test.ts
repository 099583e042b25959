import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PartitionFence } from '../../src/consumers/kafka-options.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { FakeKafka, joinedSource, protocolError } from '../support/fake-kafka.ts';

let clock: FakeClock;
let broker: FakeKafka;
let acquired: string[];
let acquiring: () => Promise<void>;
let transactions: PartitionFence;

beforeEach(() => {
  clock = new FakeClock();
  broker = new FakeKafka();
  acquired = [];
  acquiring = () => Promise.resolve();
  transactions = {
    acquire: async (partitions, others) => {
      await acquiring();
      acquired.push(`${partitions.join(',')} ${others}`);
    },
  };
});

describe('an event source whose offsets are committed in transactions', () => {
  it('hands nothing out before the former owner is fenced, then begins at what was committed', async () => {
    let fence = (): void => undefined;
    acquiring = () => new Promise((resolve) => (fence = resolve));
    const { pull, consumer } = await joinedSource(broker, [0, 1], { clock, transactions });
    await consumer.fetch(0, [7, 8]); // fetched from what was committed before the fence
    expect(await Promise.race([pull, settle()])).toBeUndefined();
    broker.committed = { 0: 9, 1: 3 };
    fence();
    await settle();
    expect(acquired).toEqual(['0,1 release']);
    expect(consumer.log.filter((line) => line.startsWith('seek'))).toEqual([
      'seek 0/9',
      'seek 1/3',
    ]);
    await consumer.fetch(0, [9]);
    expect((await pull)?.record.offset).toBe(9);
  });

  it('tries again to fence while the broker is away', async () => {
    let attempts = 0;
    acquiring = () => {
      attempts += 1;
      return attempts < 3
        ? Promise.reject(protocolError('COORDINATOR_NOT_AVAILABLE'))
        : Promise.resolve();
    };
    const { pull, consumer } = await joinedSource(broker, [0], { clock, transactions });
    await clock.advance(1_000);
    await clock.advance(1_000);
    expect(acquired).toEqual(['0 release']);
    await consumer.fetch(0, [0]);
    expect((await pull)?.record.offset).toBe(0);
  });

  it('ends when it may not use its transactional ids', async () => {
    let refuse: (error: Error) => void = () => undefined;
    acquiring = () => new Promise((_resolve, reject) => (refuse = reject));
    const { pull } = await joinedSource(broker, [0], { clock, transactions });
    refuse(protocolError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'));
    await expect(pull).rejects.toMatchObject({ code: 'kafka_unauthorized' });
  });

  it('sends no commit of its own: it could take back that of a transaction', async () => {
    const { puller, pull, consumer } = await joinedSource(broker, [0], { clock, transactions });
    const fetched = consumer.fetch(0, [0]);
    (await pull)?.resolve();
    await fetched;
    await clock.advance(5_000);
    expect(puller.source.status().partitions[0]?.committed).toBe(1);
    await puller.source.close();
    expect(consumer.commits).toEqual([]);
  });

  it('reads a rewound partition again only after a heartbeat: a zombie would fence the new owner', async () => {
    const { puller, pull, consumer } = await joinedSource(broker, [0, 1], { clock, transactions });
    const fetched = consumer.fetch(0, [0]);
    const taken = await pull;
    await fetched;
    taken?.rewind();
    expect(taken?.revoked.aborted).toBe(true);
    await settle();
    expect(acquired).toEqual(['0,1 release']);
    const next = puller.next();
    await consumer.fetch(1, [0]); // nothing is handed out meanwhile
    expect(await Promise.race([next, settle()])).toBeUndefined();

    consumer.log.length = 0;
    consumer.emit('HEARTBEAT');
    await settle();
    expect(acquired).toEqual(['0,1 release', '0 keep']);
    expect(consumer.log).toEqual(['seek 0/0', 'resume']);
    await consumer.fetch(0, [0]);
    expect((await next)?.record).toMatchObject({ partition: 0, offset: 0 });
  });

  it('leaves a rewound partition alone that a rebalance has given away', async () => {
    const { pull, consumer } = await joinedSource(broker, [0, 1], { clock, transactions });
    const fetched = consumer.fetch(0, [0]);
    (await pull)?.rewind();
    await fetched;
    consumer.emit('REBALANCING');
    consumer.join('images', [1]);
    await settle();
    consumer.emit('HEARTBEAT');
    await settle();
    expect(acquired).toEqual(['0,1 release', '1 release']);
  });
});

describe('an event source with held records', () => {
  it('pauses their partition until the last is released, also across a pause of everything', async () => {
    const { puller, pull, consumer } = await joinedSource(broker, [0, 1], { clock });
    const fetched = consumer.fetch(0, [0, 1]);
    const first = await pull;
    const second = await puller.next();
    await fetched;
    consumer.log.length = 0;
    const releases = [first?.hold(), second?.hold()];
    expect(consumer.log).toEqual(['pause 0']);
    await consumer.fetch(0, [2]); // was under way: fetched again later
    expect(consumer.resolved).toEqual(['0/0', '0/1']);
    first?.rewind();
    consumer.emit('HEARTBEAT');
    await settle();
    expect(consumer.log).toEqual(['pause 0', 'pause', 'seek 0/0', 'resume', 'pause 0']);
    releases[0]?.();
    releases[0]?.();
    expect(consumer.log.at(-1)).toBe('pause 0');
    releases[1]?.();
    expect(consumer.log.at(-1)).toBe('resume 0');
  });
});
