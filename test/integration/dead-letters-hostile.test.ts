import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import { renderLetter } from '../../src/cli/render-letter.ts';
import { listLetters } from '../../src/dead-letters/list.ts';
import { RedriveProducer } from '../../src/kafka/redrive-producer.ts';
import type { RedriveOptions } from '../../src/dead-letters/redrive-plan.ts';
import { redrive } from '../../src/dead-letters/redrive.ts';
import { showLetter } from '../../src/dead-letters/show.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { originOf } from '../../src/events/origin.ts';
import { verdictId } from '../../src/events/verdict-id.ts';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import { rangesOf, readRanges } from '../../src/kafka/read-range.ts';
import { reconcile } from '../../src/reconcile/reconcile.ts';
import { aVerdict } from '../support/builders.ts';
import { letterSource, publishLetters } from '../support/dead-letters.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';

jest.setTimeout(90_000);

const INVALID = { code: 'event_invalid', message: 'decoding: image: missing', stage: 'decode' };

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

describe('dead letters that were redriven, forged or spoilt', () => {
  it.each([undefined, 'a redrive key of the tests, long enough'])(
    'are one outcome each for a reconciliation once they are redriven (key: %s)',
    async (redriveKey) => {
      const verdicts = await createTopic(kafka);
      const at = (offset: number) => ({ topic: input, partition: 0, offset });
      const forged = { 'moderato-origin': `${input}/0/0`, 'moderato-attempts': '1' };
      await publish(kafka, input, [
        { value: 'a', partition: 0 },
        { value: 'b', partition: 0, headers: forged },
      ]);
      await publishLetters(kafka, topic, [{ ...at(0), value: Buffer.from('a'), key: null }]);
      await redriveAll({ redriveKey });
      const [redriven] = (await committed(input)).slice(2);
      expect(redriven).toMatchObject({ value: Buffer.from('a'), partition: 0 });
      const records = await committed(input);
      const encoder = createMessageEncoder({ format: 'json' });
      for (const record of records) {
        const verdict = aVerdict({ input: at(record.offset) });
        const { eventId, model, bundle } = verdict;
        const id = verdictId({
          eventId,
          ...originOf(record, redriveKey),
          modelHash: model.hash,
          preprocessing: model.preprocessing,
          bundleHash: bundle.hash,
        });
        const { value } = await encoder.encodeVerdict({ ...verdict, verdictId: id }, verdicts);
        await publish(kafka, verdicts, [{ value }]);
      }
      const options = {
        kafka,
        input,
        topics: { verdicts, routes: {}, deadLetters: topic },
        groupId: uniqueName('group'),
      };
      for (const key of [redriveKey, undefined]) {
        expect(await reconcile({ ...options, redriveKey: key })).toMatchObject({
          proven: true,
          inputs: 3,
          redriven: 1,
          foreignIds: { count: 0 },
          undecodable: { count: 0 },
          unprovenOrigins: { count: 1, first: [{ input: at(1), origin: at(0) }] },
        });
      }
    },
  );

  it('do not keep the others when strangers write garbage among them', async () => {
    const garbage = [
      { value: null },
      { value: null, headers: { 'moderato-redriven': 'no position' } },
      { value: '{' },
      { value: Buffer.concat([Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(20)]) },
      { value: Buffer.concat([Buffer.from([0xc3, 0x01]), Buffer.alloc(90, 7)]) },
      { value: Buffer.alloc(900_000, 0x7b), headers: JSON.parse('{"__proto__":"x"}') as object },
    ];
    await publish(
      kafka,
      topic,
      garbage.map((each) => ({ key: '\u001b[2J', partition: 0, ...each }) as Message),
    );
    const polluted = { name: '__proto__', value: Buffer.from('polluted') };
    await publishLetters(kafka, topic, [
      { topic: input, headers: [polluted] },
      { topic: '../etc', offset: 1 },
      { topic: input, partition: -1 },
      { topic: uniqueName('elsewhere'), offset: 2 },
      { topic: input, error: { ...INVALID, code: '__proto__' } },
      { topic: input, value: null, error: { ...INVALID, code: 'event_batch_corrupt' } },
    ]);
    const { letters, counts } = await list();
    expect([letters.length, counts.undecodable]).toEqual([11, 7]);
    const source = letterSource(kafka, topic);
    for (const { partition, offset } of letters) {
      const shown = await showLetter(source, { partition, offset });
      expect(renderLetter(shown)).toContain(`dead letter ${partition}/${offset}`);
    }
    const done = await redriveAll({ inputs: [input] });
    expect(done).toMatchObject({ total: 2, undecodable: 7, elsewhere: 1 });
    expect(done.incomplete).toMatchObject({
      count: 1,
      first: [{ record: { topic: input, partition: 0, offset: 0 } }],
    });
    const records = await committed(input);
    expect(records).toHaveLength(2);
    expect(records[0]?.headers[0]?.name).toBe('__proto__');
  });

  it('that are larger than their topic takes do not keep the others', async () => {
    const narrow = await createTopic(kafka, 1, { config: { 'max.message.bytes': '4000' } });
    const sized = (bytes: number) => randomBytes(bytes);
    await publishLetters(
      kafka,
      topic,
      [100, 9_000, 200, 9_000].map((bytes, offset) => ({
        topic: narrow,
        offset,
        value: sized(bytes),
      })),
    );
    await expect(redriveAll()).rejects.toMatchObject({
      code: 'record_too_large',
      message: expect.stringMatching(
        /^redriving 0\/1 \(to .*\), 0\/3 .*max.message.bytes/,
      ) as unknown,
    });
    await untilMarked();
    const sizes = (await committed(narrow)).map(({ value }) => value?.length);
    expect(sizes.sort()).toEqual([100, 200]);
  });
});
