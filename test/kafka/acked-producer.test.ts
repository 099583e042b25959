import { describe, expect, it } from '@jest/globals';
import type { ICustomPartitioner, ProducerBatch, RecordMetadata } from 'kafkajs';
import { AckedProducer } from '../../src/kafka/acked-producer.ts';
import type { OutgoingMessage } from '../../src/kafka/outgoing-message.ts';
import { noLogger } from '../../src/logger.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import {
  connectionError,
  nonRetriable,
  protocolError,
  retriesExceeded,
} from '../support/kafka-faults.ts';

type Answer = (sent: RecordMetadata[]) => RecordMetadata[] | Error;

const unreachable = () => retriesExceeded(connectionError('refused'));
const all: Answer = (sent) => sent;

/** Producers that partition as kafkajs does and answer each request as told, the last way ever after. */
function createProducer(answers: Answer[] = [all]) {
  const clock = new FakeClock();
  const requests: Array<{ producer: number; values: string[]; partitions: string[] }> = [];
  let created = 0;
  let disconnected = 0;
  const producer = new AckedProducer({
    createProducer: (createPartitioner: ICustomPartitioner) => {
      const choose = createPartitioner();
      const id = ++created;
      return {
        connect: () => Promise.resolve(),
        disconnect: () => {
          disconnected++;
          return Promise.resolve();
        },
        sendBatch: ({ topicMessages = [] }: ProducerBatch) => {
          const sent = topicMessages.flatMap(({ topic, messages }) =>
            messages.map((message) => ({
              value: String(message.value),
              topicName: topic,
              errorCode: 0,
              partition: choose({
                topic,
                message,
                partitionMetadata: [0, 1, 2].map((partitionId) => ({
                  partitionId,
                  leader: 1,
                  replicas: [1],
                  isr: [1],
                  partitionErrorCode: 0,
                })),
              }),
            })),
          );
          requests.push({
            producer: id,
            values: sent.map(({ value }) => value),
            partitions: sent.map(({ topicName, partition }) => `${topicName}/${partition}`),
          });
          const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? all;
          const answered = answer(sent);
          return answered instanceof Error ? Promise.reject(answered) : Promise.resolve(answered);
        },
      };
    },
    compression: 'none',
    deliveryTimeoutMs: 10_000,
    clock,
    logger: noLogger,
  });
  return { producer, clock, requests, disconnected: () => disconnected };
}

const message = (value: string, topic = 'verdicts'): OutgoingMessage => ({
  topic,
  key: null,
  value: Buffer.from(value),
  headers: [],
});

describe('the acked producer', () => {
  it('keeps its producer from one request to the next', async () => {
    const { producer, requests } = createProducer();
    await producer.send([message('a')]);
    await producer.send([message('b')]);
    expect(requests.map((request) => request.producer)).toEqual([1, 1]);
  });

  it('never uses a producer again after a failure, whose sequence numbers are then wrong', async () => {
    const { producer, requests, disconnected } = createProducer([
      () => nonRetriable('wrapped', protocolError('MESSAGE_TOO_LARGE')),
      all,
    ]);
    await expect(producer.send([message('a')])).rejects.toMatchObject({ code: 'record_too_large' });
    expect(disconnected()).toBe(1);
    await producer.send([message('b')]);
    expect(requests.map((request) => request.producer)).toEqual([1, 2]);
  });

  it('sends to the same partitions when it sends again, with or without a key', async () => {
    const { producer, clock, requests } = createProducer([unreachable, unreachable, all]);
    const sent = producer.send(['a', 'b', 'c', 'd', 'e'].map((value) => message(value)));
    await clock.advance(5_000);
    await sent;
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ partitions }) => partitions.join(' '))).size).toBe(1);
    expect(new Set(requests[0]?.partitions).size).toBeGreaterThan(1);
  });

  it('sends again what a successful answer leaves out, and nothing else', async () => {
    const { producer, clock, requests } = createProducer([
      (sent) => sent.filter(({ topicName }) => topicName === 'verdicts'),
      all,
    ]);
    const sent = producer.send([message('a'), message('b', 'dead-letters')]);
    await clock.advance(5_000);
    await sent;
    expect(requests.map(({ values }) => values)).toEqual([['a', 'b'], ['b']]);
  });

  it('waits for a broker that is away, and gives up when the delivery timeout is over', async () => {
    const { producer, clock, requests } = createProducer([unreachable]);
    const sent = producer.send([message('a')]);
    const outcome = expect(sent).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(/^sending 1 messages .* to verdicts: .*kafka.brokers/),
    });
    await clock.advance(9_000);
    const before = requests.length;
    expect(before).toBeGreaterThan(5);
    await clock.advance(2_000);
    await outcome;
    await clock.advance(60_000);
    expect(requests.length).toBeLessThanOrEqual(before + 2);
  });

  it('does not wait any longer once it is told to stop', async () => {
    const { producer, requests } = createProducer([unreachable]);
    producer.stopRetrying();
    await expect(producer.send([message('a')])).rejects.toMatchObject({
      code: 'kafka_unavailable',
    });
    expect(requests).toHaveLength(1);
  });

  it('sends a message to the partition of another key where it is told to', async () => {
    const { producer, requests } = createProducer();
    const keys = Array.from({ length: 20 }, (_, at) => Buffer.from(`key-${at}`));
    await producer.send(keys.map((key) => ({ ...message('whole'), key })));
    const digests = keys.map((partitionKey) => ({
      ...message('cut'),
      key: Buffer.from('sha256:…'),
      partitionKey,
    }));
    await producer.send(digests);
    expect(requests[1]?.partitions).toEqual(requests[0]?.partitions);
    expect(new Set(requests[0]?.partitions).size).toBe(3);
  });

  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', true, 'topic_missing'],
    ['TOPIC_AUTHORIZATION_FAILED', false, 'kafka_unauthorized'],
    ['MESSAGE_TOO_LARGE', false, 'record_too_large'],
    ['INVALID_RECORD', false, 'kafka_unavailable'],
  ])('does not try again what the broker refuses: %s', async (type, retriable, code) => {
    const fault = protocolError(type, retriable);
    const error = retriable ? retriesExceeded(fault) : fault;
    const { producer, requests } = createProducer([() => error]);
    await expect(producer.send([message('a')])).rejects.toMatchObject({ code });
    await settle();
    expect(requests).toHaveLength(1);
  });
});
