import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Partitioners, type Kafka } from 'kafkajs';
import { listLetters } from '../../src/dead-letters/list.ts';
import { RedriveProducer } from '../../src/kafka/redrive-producer.ts';
import { planRedrive, type RedriveOptions } from '../../src/dead-letters/redrive-plan.ts';
import { redrive } from '../../src/dead-letters/redrive.ts';
import { showLetter } from '../../src/dead-letters/show.ts';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import { rangesOf, readRanges } from '../../src/kafka/read-range.ts';
import { letterSource, publishLetters } from '../support/dead-letters.ts';
import { createTopic, publish, testKafka } from '../support/kafka.ts';

jest.setTimeout(90_000);

const UNDECODABLE = { code: 'event_undecodable', message: 'decoding: neither', stage: 'decode' };
const INVALID = { code: 'event_invalid', message: 'decoding: image: missing', stage: 'decode' };

const none = () => [];

let kafka: Kafka;
let input: string;
let topic: string;
beforeAll(() => {
  kafka = testKafka();
});
beforeEach(async () => {
  input = await createTopic(kafka, 3);
  topic = await createTopic(kafka, 2);
});

/**
 * The broker says that a transaction has ended before it marks that in its topics; it lets the next producer with
 * the same id in only afterwards.
 */
const untilMarked = async (): Promise<void> => {
  const next = new RedriveProducer({ kafka, topic, compression: 'none' });
  await next.open();
  await next.close();
};
const redriveAll = async (
  options: Partial<RedriveOptions> = {},
  onRedriven?: (n: number) => void,
) => {
  const done = await redrive({
    ...letterSource(kafka, topic),
    filter: {},
    compression: 'gzip',
    ...options,
    ...(onRedriven && { onRedriven }),
  });
  await untilMarked();
  return done;
};
const list = (options: Partial<Parameters<typeof listLetters>[0]> = {}) =>
  listLetters({
    ...letterSource(kafka, topic),
    filter: {},
    limit: 50,
    withRedriven: false,
    ...options,
  });
const plan = (options: Partial<RedriveOptions> = {}) =>
  planRedrive({ ...letterSource(kafka, topic), filter: {}, ...options });

/** What a consumer that heeds transactions sees. */
async function committed(name: string): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = [];
  await readRanges({
    kafka,
    ranges: await rangesOf(kafka, [name]),
    onRecord: (record) => void records.push(record),
  });
  return records;
}

describe('dead letters on a real broker', () => {
  it('are listed, the newest first, whatever their encoding', async () => {
    await publishLetters(kafka, topic, [
      { topic: input, offset: 1, failedAt: 1_000, error: UNDECODABLE },
      { topic: input, offset: 2, failedAt: 3_000, error: INVALID, format: 'avro' },
      { topic: input, offset: 3, failedAt: 2_000, error: UNDECODABLE, at: 1, attempts: 2 },
    ]);
    await publish(kafka, topic, [{ value: 'no dead letter', partition: 1, timestamp: '500' }]);

    const all = await list();
    expect(all.letters.map(({ failedAt, code }) => [failedAt, code])).toEqual([
      [3_000, 'event_invalid'],
      [2_000, 'event_undecodable'],
      [1_000, 'event_undecodable'],
      [500, null],
    ]);
    expect(all.letters[1]).toMatchObject({
      partition: 1,
      offset: 0,
      attempts: 2,
      origin: { topic: input, partition: 0, offset: 3 },
      key: Buffer.from('key-1'),
    });
    expect(all.counts).toEqual({
      total: 4,
      byCode: { event_undecodable: 2, event_invalid: 1 },
      undecodable: 1,
      redriven: 0,
    });
    const newest = await list({ limit: 1 });
    expect([newest.letters.length, newest.counts.total]).toEqual([1, 4]);
    const some = await list({
      filter: { codes: new Set(['event_undecodable']), untilMs: 2_000 },
    });
    expect(some.letters.map(({ failedAt }) => failedAt)).toEqual([1_000]);
  });

  it('are found by time: those that failed since', async () => {
    const before = Date.now();
    await publishLetters(kafka, topic, [
      { topic: input, failedAt: before - 60_000 },
      { topic: input, failedAt: before },
    ]);
    const { letters } = await list({ filter: { sinceMs: before } });
    expect(letters.map(({ failedAt }) => failedAt)).toEqual([before]);
    expect((await list({ filter: { sinceMs: Date.now() + 60_000 } })).letters).toEqual([]);
  });

  it('are redriven with the key, headers, value and partition of their records, and once only', async () => {
    const value = Buffer.from([0, 255, 1, 10]);
    await publishLetters(kafka, topic, [
      {
        topic: input,
        partition: 2,
        offset: 7,
        key: Buffer.from([0xff, 0x00]),
        value,
        headers: [
          { name: 'h', value: Buffer.from('1') },
          { name: 'h', value: Buffer.from([0x80]) },
          { name: 'empty', value: Buffer.alloc(0) },
        ],
        at: 1,
        format: 'avro',
      },
      { topic: input, partition: 1, offset: 9, key: null, value: null, headers: [] },
    ]);
    expect(await plan()).toMatchObject({ total: 2, byTopic: { [input]: 2 } });
    expect(await committed(input)).toEqual([]);

    const counts: number[] = [];
    const done = await redriveAll({}, (count) => counts.push(count));
    expect([done.total, counts]).toEqual([2, [2]]);
    const records = await committed(input);
    expect(records.find(({ partition }) => partition === 2)).toMatchObject({
      key: Buffer.from([0xff, 0x00]),
      value,
      headers: [
        { name: 'h', value: Buffer.from('1') },
        { name: 'h', value: Buffer.from([0x80]) },
        { name: 'empty', value: Buffer.alloc(0) },
        { name: 'moderato-origin', value: Buffer.from(`${input}/2/7`) },
        { name: 'moderato-attempts', value: Buffer.from('1') },
      ],
    });
    expect(records.find(({ partition }) => partition === 1)).toMatchObject({
      key: null,
      value: null,
    });
    expect(records).toHaveLength(2);

    expect(await redriveAll()).toMatchObject({ total: 0, redrivenAlready: 2 });
    expect(await committed(input)).toHaveLength(2);
    const left = await list();
    expect([left.letters, left.counts.redriven]).toEqual([[], 2]);
    const all = await list({ withRedriven: true });
    expect(all.letters.map(({ redriven }) => redriven)).toEqual([true, true]);
    expect(all.counts.undecodable).toBe(0);
  });

  it('are redriven in several transactions where there are many', async () => {
    const values = Array.from({ length: 250 }, (_, i) => Buffer.from(`value ${i}`));
    await publishLetters(
      kafka,
      topic,
      values.map((value, i) => ({ topic: input, partition: i % 3, offset: i, value, at: i % 2 })),
    );
    const counts: number[] = [];
    await redriveAll({}, (count) => counts.push(count));
    expect(counts).toEqual([100, 100, 50]);
    const seen = (await committed(input)).map(({ value }) => value?.toString());
    expect(seen.sort()).toEqual(values.map(String).sort());
  });

  it('can be chosen by position, go elsewhere, and keep those that cannot be decoded', async () => {
    await publishLetters(kafka, topic, [
      { topic: 'gone', partition: 7, offset: 1, key: Buffer.from('k') },
      { topic: 'gone', partition: 7, offset: 2 },
    ]);
    await publish(kafka, topic, [{ value: 'no dead letter', partition: 0 }]);
    const positions = new Map(
      [0, 2].map((offset) => [`0/${offset}`, { partition: 0, offset }] as const),
    );
    await expect(plan({ filter: { positions } })).rejects.toMatchObject({
      code: 'topic_missing',
      message: expect.stringContaining('--topic'),
    });
    const done = await redriveAll({ filter: { positions }, target: input });
    expect(done).toMatchObject({ total: 1, undecodable: 1 });
    const [record] = await committed(input);
    expect(record?.headers).toContainEqual({
      name: 'moderato-origin',
      value: Buffer.from('gone/7/1'),
    });
    const unknown = new Map([['0/99', { partition: 0, offset: 99 }]]);
    await expect(plan({ filter: { positions: unknown } })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /no dead letter at 0\/99: .* holds 0\/0 to 0\/\d+, 1 is empty/,
      ),
    });
  });

  it('are shown with everything', async () => {
    const headers = [{ name: 'tenant', value: Buffer.from('acme') }];
    await publishLetters(kafka, topic, [{ topic: input, offset: 4, headers, at: 1 }]);
    const source = letterSource(kafka, topic);
    const letter = await showLetter(source, { partition: 1, offset: 0 });
    expect(letter).toMatchObject({
      headers,
      value: Buffer.from('not an image event'),
      record: { topic: input, partition: 0, offset: 4 },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      redriven: false,
    });
    await redriveAll();
    expect((await showLetter(source, { partition: 1, offset: 0 })).redriven).toBe(true);
    await expect(showLetter(source, { partition: 1, offset: 1 })).rejects.toMatchObject({
      code: 'usage',
    });
  });

  it('are left alone by a redrive after another one has begun', async () => {
    await publishLetters(kafka, topic, [{ topic: input }]);
    const message = { topic: input, key: null, value: Buffer.from('a'), headers: [], partition: 0 };
    const first = new RedriveProducer({ kafka, topic, compression: 'none' });
    await first.open();
    await first.write([message], none, 'redriving the first');
    await redriveAll();
    await expect(first.write([message], none, 'redriving')).rejects.toMatchObject({
      code: 'redrive_fenced',
      message: expect.stringMatching(/^redriving: stopped, since another redrive of /),
    });
    expect(await committed(input)).toHaveLength(2);
  });

  it('are redriven once although another redrive was just about to commit', async () => {
    await publishLetters(kafka, topic, [{ topic: input }]);
    const other = kafka.producer({
      transactionalId: `moderato-redrive-${topic}`,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await other.connect();
    const transaction = await other.transaction();
    const headers = { 'moderato-redriven': '0/0' };
    await transaction.send({ topic, messages: [{ value: null, headers, partition: 0 }] });
    await transaction.send({ topic: input, messages: [{ value: 'a', partition: 0 }] });
    expect((await redriveAll()).total).toBe(1);
    await expect(transaction.commit()).rejects.toThrow();
    await other.disconnect();
    expect(await committed(input)).toHaveLength(1);
  });

  it('are not disturbed by a plan while a redrive is at work', async () => {
    const at = new RedriveProducer({ kafka, topic, compression: 'none' });
    await at.open();
    expect(await plan()).toMatchObject({ total: 0 });
    const message = { topic: input, key: null, value: Buffer.from('a'), headers: [], partition: 0 };
    await at.write([message], none, 'redriving');
    await at.close();
    await untilMarked();
    expect(await committed(input)).toHaveLength(1);
  });
});
