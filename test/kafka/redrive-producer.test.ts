import { describe, expect, it } from '@jest/globals';
import type { Producer, RecordMetadata } from 'kafkajs';
import { RedriveProducer, type PlacedMessage } from '../../src/kafka/redrive-producer.ts';
import { protocolError } from '../support/kafka-faults.ts';

interface Request {
  topic: string;
  messages: Array<{ value: Buffer; partition: number }>;
}
type Answer = (request: Request, count: number) => RecordMetadata[];

const written: Answer = ({ topic, messages }) => [
  { topicName: topic, partition: messages[0]?.partition ?? -1, errorCode: 0, baseOffset: '40' },
];

/** A broker that keeps what is committed, and kafkajs as far as the producer sees it. */
function setUp(answer: Answer = written, commit: () => Promise<void> = () => Promise.resolve()) {
  const committed: string[] = [];
  const log: string[] = [];
  let requests = 0;
  let config: unknown;
  const transaction = () => {
    const pending: string[] = [];
    return Promise.resolve({
      send: async (request: Request) => {
        requests += 1;
        await Promise.resolve();
        const metadata = answer(request, requests);
        pending.push(...request.messages.map(({ value }) => `${request.topic}: ${String(value)}`));
        return metadata;
      },
      commit: async () => {
        await commit();
        committed.push(...pending);
        log.push('commit');
      },
      abort: () => {
        log.push('abort');
        return Promise.resolve();
      },
    });
  };
  const producer = new RedriveProducer({
    topic: 'dead-letters',
    compression: 'none',
    kafka: {
      producer: (given) => {
        config = given;
        return {
          connect: () => Promise.resolve(),
          disconnect: () => Promise.resolve(void log.push('disconnect')),
          transaction,
        } as unknown as Producer;
      },
    },
  });
  return { producer, committed, log, requests: () => requests, config: () => config };
}

const message = (topic: string, partition: number, value: string): PlacedMessage => ({
  topic,
  partition,
  key: null,
  value: Buffer.from(value),
  headers: [],
});
const pair = (name: string, partition = 0): [PlacedMessage[], () => PlacedMessage[]] => [
  [message('images', partition, name)],
  () => [message('dead-letters', 0, `note of ${name}`)],
];

describe('RedriveProducer', () => {
  it('has one transactional id for a topic, so that a second one fences the first', () => {
    expect(setUp().config()).toMatchObject({
      transactionalId: 'moderato-redrive-dead-letters',
      idempotent: true,
      maxInFlightRequests: 1,
    });
  });

  it('writes one partition a request and commits them together', async () => {
    const { producer, committed, log, requests } = setUp();
    await producer.open();
    const names = ['a', 'b', 'c'];
    const records = names.map((name) => message('images', name === 'b' ? 1 : 0, name));
    const told: unknown[] = [];
    await producer.write(
      records,
      (offsets) => {
        told.push(...offsets);
        return names.map((name) => message('dead-letters', 0, `note of ${name}`));
      },
      'redriving',
    );
    expect(requests()).toBe(3);
    expect(told).toEqual([40, 40, 41]);
    expect(committed.sort()).toEqual([
      'dead-letters: note of a',
      'dead-letters: note of b',
      'dead-letters: note of c',
      'images: a',
      'images: b',
      'images: c',
    ]);
    await producer.close();
    expect(log).toEqual(['commit', 'disconnect']);
  });

  it('neither loses nor doubles a letter when it fails between two', async () => {
    const { producer, committed, log } = setUp((request, count) => {
      if (count === 4) throw protocolError('NOT_ENOUGH_REPLICAS', true);
      return written(request, count);
    });
    await producer.open();
    await producer.write(...pair('a'), 'redriving 0/0');
    await expect(producer.write(...pair('b'), 'redriving 0/1')).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(/^redriving 0\/1: /),
    });
    expect(committed).toEqual(['images: a', 'dead-letters: note of a']);
    expect(log).toEqual(['commit', 'abort', 'disconnect']);
    await expect(producer.write(...pair('b'), 'redriving 0/1')).rejects.toThrow('not open');
  });

  it.each<[string, Answer]>([
    ['nothing', () => []],
    ['another partition', () => [{ topicName: 'images', partition: 5, errorCode: 0 }]],
    [
      'a partition twice',
      (request, count) => [...written(request, count), ...written(request, count)],
    ],
  ])('commits nothing when a successful answer names %s', async (_, answer) => {
    const { producer, committed } = setUp(answer);
    await producer.open();
    await expect(producer.write(...pair('a'), 'redriving')).rejects.toMatchObject({
      code: 'kafka_unavailable',
    });
    expect(committed).toEqual([]);
  });

  it('is never used again after a commit whose answer was lost', async () => {
    const { producer, log } = setUp(written, () =>
      Promise.reject(protocolError('REQUEST_TIMED_OUT')),
    );
    await producer.open();
    await expect(producer.write(...pair('a'), 'redriving')).rejects.toMatchObject({
      code: 'kafka_unavailable',
    });
    expect(log.at(-1)).toBe('disconnect');
    await expect(producer.write(...pair('a'), 'redriving')).rejects.toThrow('not open');
  });

  it.each([
    protocolError('INVALID_PRODUCER_EPOCH', false),
    Object.assign(protocolError('KAFKAJS_UNKNOWN_ERROR_CODE'), {
      message: 'Unknown error code 90',
    }),
  ])('says so when another redrive has begun: %s', async (fault) => {
    const { producer } = setUp(() => {
      throw fault;
    });
    await producer.open();
    await expect(producer.write(...pair('a'), 'redriving 0/0')).rejects.toMatchObject({
      code: 'redrive_fenced',
      message: expect.stringContaining('another redrive of dead-letters has begun'),
    });
  });
});
