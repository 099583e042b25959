import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ICustomPartitioner, ProducerBatch, RecordMetadata, Transaction } from 'kafkajs';
import type { TopicPartition } from '../../src/kafka/by-topic.ts';
import type { OutgoingMessage } from '../../src/kafka/outgoing-message.ts';
import { PartitionTransactions } from '../../src/kafka/partition-transactions.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { nonRetriable, protocolError } from '../support/kafka-faults.ts';

/** What was done, in order: `id:step`. */
let log: string[];
let failing: Record<string, Error>;
let initialising: Promise<void>;
let answersFor: (sent: RecordMetadata[]) => RecordMetadata[];
let transactions: PartitionTransactions;
let clock: FakeClock;

beforeEach(() => {
  log = [];
  clock = new FakeClock();
  failing = {};
  initialising = Promise.resolve();
  answersFor = (sent) => sent;
  transactions = new PartitionTransactions({
    createProducer,
    groupId: 'g',
    compression: 'none',
    clock,
  });
});

function createProducer(id: string, createPartitioner: ICustomPartitioner) {
  const choose = createPartitioner();
  const step = (name: string): Promise<void> => {
    log.push(`${id.slice('moderato-g-images-'.length)}:${name}`);
    const error = failing[name];
    return error ? Promise.reject(error) : Promise.resolve();
  };
  return {
    connect: () => step('connect'),
    disconnect: () => step('disconnect'),
    transaction: async () => {
      await step('begin');
      await initialising;
      const transaction: Pick<Transaction, 'sendBatch' | 'sendOffsets' | 'commit'> = {
        sendBatch: async ({ topicMessages = [] }: ProducerBatch) => {
          await step('send');
          return answersFor(
            topicMessages.flatMap(({ topic, messages }) =>
              messages.map((message) => {
                const partitionMetadata = [
                  { partitionId: 3, leader: 1, replicas: [1], isr: [1], partitionErrorCode: 0 },
                ];
                const partition = choose({ topic, message, partitionMetadata });
                return { topicName: topic, partition, errorCode: 0 };
              }),
            ),
          );
        },
        sendOffsets: ({ consumerGroupId, topics }) =>
          step(`${consumerGroupId}=${topics[0]?.partitions[0]?.offset}`),
        commit: () => step('commit'),
      };
      return transaction as Transaction;
    },
  };
}

const at = (partition: number, topic = 'images'): TopicPartition => ({ topic, partition });

const messages: OutgoingMessage[] = [
  { topic: 'verdicts', key: Buffer.from('k'), value: Buffer.from('v'), headers: [] },
];

describe('the transactions of input partitions', () => {
  it('hold the verdicts and the offset behind their records', async () => {
    await transactions.acquire([at(0)], 'release');
    await transactions.commit(at(0), messages, 12);
    await transactions.commit(at(0), messages, 13);
    expect(log).toEqual([
      ...['0:connect', '0:begin', '0:g=12', '0:send', '0:commit'],
      ...['0:begin', '0:g=13', '0:send', '0:commit'],
    ]);
  });

  it('have an id of its own for each partition of each topic, and commit to its topic', async () => {
    const ids: string[] = [];
    const committed: string[] = [];
    const several = new PartitionTransactions({
      createProducer: (id, partitioner) => {
        ids.push(id);
        const producer = createProducer(id, partitioner);
        return {
          ...producer,
          transaction: async () => {
            const transaction = await producer.transaction();
            const sendOffsets: Transaction['sendOffsets'] = ({ topics }) => {
              for (const { topic, partitions } of topics)
                committed.push(
                  ...partitions.map((each) => `${topic}/${each.partition}@${each.offset}`),
                );
              return Promise.resolve();
            };
            return { ...transaction, sendOffsets };
          },
        };
      },
      groupId: 'g',
      compression: 'none',
      clock,
    });
    const places = [at(1), at(1, 'rescan'), at(1, 'images-1'), at(11)];
    await several.acquire(places, 'release');
    expect(ids).toEqual([
      'moderato-g-images-1',
      'moderato-g-rescan-1',
      'moderato-g-images-1-1',
      'moderato-g-images-11',
    ]);
    await several.commit(at(1, 'rescan'), messages, 5);
    await several.commit(at(1), messages, 6);
    expect(committed).toEqual(['rescan/1@5', 'images/1@6']);
    await several.acquire([at(1)], 'release');
    await expect(several.commit(at(1, 'rescan'), messages, 6)).rejects.toThrow(
      'committing rescan/1: the partition is not ours',
    );
  });

  it('fence the former owner when a partition is acquired, not at its first verdict', async () => {
    await transactions.acquire([at(0), at(1)], 'release');
    expect(log.sort()).toEqual(['0:begin', '0:connect', '1:begin', '1:connect']);
  });

  it('let go of what is not ours any more, and claim anew what still is', async () => {
    await transactions.acquire([at(0), at(1)], 'release');
    log.length = 0;
    await transactions.acquire([at(1)], 'release');
    expect(log.sort()).toEqual(['0:disconnect', '1:begin', '1:connect', '1:disconnect']);
    await expect(transactions.commit(at(0), messages, 1)).rejects.toThrow('not ours');
  });

  it('claim one partition anew and keep the others', async () => {
    await transactions.acquire([at(0), at(1)], 'release');
    log.length = 0;
    await transactions.acquire([at(1)], 'keep');
    expect(log.sort()).toEqual(['1:begin', '1:connect', '1:disconnect']);
  });

  it('claim one after the other, so that an older claim never fences a newer one', async () => {
    let initialised = (): void => undefined;
    initialising = new Promise((resolve) => (initialised = resolve));
    const first = transactions.acquire([at(0)], 'release');
    const second = transactions.acquire([at(0)], 'release');
    await settle();
    expect(log).toEqual(['0:connect', '0:begin']);
    initialised();
    await Promise.all([first, second]);
    expect(log.filter((line) => line !== '0:disconnect')).toEqual([
      ...['0:connect', '0:begin'],
      ...['0:connect', '0:begin'],
    ]);
  });

  it.each(['send', 'g=12', 'commit'])(
    'never use a producer again after it failed to %s',
    async (step) => {
      await transactions.acquire([at(0)], 'release');
      failing = { [step]: protocolError('INVALID_PRODUCER_EPOCH') };
      await expect(transactions.commit(at(0), messages, 12)).rejects.toMatchObject({
        code: 'kafka_unavailable',
      });
      expect(log.at(-1)).toBe('0:disconnect');
      failing = {};
      await expect(transactions.commit(at(0), messages, 12)).rejects.toThrow('not ours');
      await transactions.acquire([at(0)], 'keep');
      await transactions.commit(at(0), messages, 12);
    },
  );

  it('wait until the end of the one before is marked, with nothing sent meanwhile', async () => {
    await transactions.acquire([at(0)], 'release');
    failing = { 'g=12': protocolError('CONCURRENT_TRANSACTIONS', true) };
    const committed = transactions.commit(at(0), messages, 12);
    await clock.advance(3);
    failing = {};
    await clock.advance(3);
    await committed;
    expect(log.slice(2)).toEqual(['0:g=12', '0:g=12', '0:g=12', '0:send', '0:commit']);
  });

  it('are let end before their producer is disconnected: it would connect anew', async () => {
    await transactions.acquire([at(0)], 'release');
    failing = { 'g=12': protocolError('CONCURRENT_TRANSACTIONS', true) };
    const committed = transactions.commit(at(0), messages, 12);
    await settle();
    const closed = transactions.close();
    await settle();
    expect(log).not.toContain('0:disconnect');
    failing = {};
    await clock.advance(3);
    await Promise.all([committed, closed]);
    expect(log.slice(-2)).toEqual(['0:commit', '0:disconnect']);
  });

  it('claim nothing after they were closed, when nobody would disconnect it any more', async () => {
    await transactions.close();
    await expect(transactions.acquire([at(0)], 'release')).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(log).toEqual([]);
  });

  it('commit nothing when the answer leaves a partition out, as kafkajs does when leaders move', async () => {
    await transactions.acquire([at(0)], 'release');
    answersFor = () => [];
    await expect(transactions.commit(at(0), messages, 12)).rejects.toThrow('leaves them out');
    expect(log).not.toContain('0:commit');
  });

  it('tell a missing topic and a message too large by their codes', async () => {
    await transactions.acquire([at(0)], 'release');
    failing = { send: nonRetriable('sending', protocolError('MESSAGE_TOO_LARGE')) };
    await expect(transactions.commit(at(0), messages, 1)).rejects.toMatchObject({
      code: 'record_too_large',
    });
  });
});
