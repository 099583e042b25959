import { describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { createDeadLetterDecoder, decodeVerdict } from '../../src/events/index.ts';
import { rangesOf, readRanges } from '../../src/kafka/read-range.ts';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import { createPartitionTransactions } from '../../src/kafka/partition-transactions.ts';
import { noLogger } from '../../src/logger.ts';
import { createOutputLimits } from '../../src/producers/output-limits.ts';
import { createTransactionalVerdictSink } from '../../src/producers/transactional-verdict-sink.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';
import { aDeadLetter, aVerdict } from '../support/builders.ts';
import { committedOffsets } from '../support/consumer-group.ts';
import { createTopic, readAll, testKafka, uniqueName } from '../support/kafka.ts';
import { createKafkaSink } from '../support/kafka-sink.ts';
import { limitTo } from '../support/limit-topic.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

jest.setTimeout(60_000);

const LIMIT = 20_000;
const kafka = testKafka();

/** Carries more than the topics take in every part. */
function large(id: string, offset: number): Emission {
  const labels = { noise: '\u0001'.repeat(271_000), form: 'avatar' };
  const input = { topic: 'images', partition: 0, offset };
  return anEmission(id, {
    key: Buffer.alloc(30_000, 'k'),
    headers: [{ name: 'huge', value: Buffer.alloc(2_000_000) }],
    verdict: aVerdict({ verdictId: id, input, labels, eventId: 'e'.repeat(500_000) }),
    deadLetter: aDeadLetter({ value: Buffer.alloc(5_000_000, 'image ') }),
  });
}

const SHRUNK_VERDICT = {
  eventId: `${'e'.repeat(1_021)}…`,
  labels: { form: 'avatar' },
  outcome: 'block',
  shrunk: ['headers', 'labels', 'texts', 'key'],
};
const SHRUNK_LETTER = { topic: 'images', offset: 0, valueBytes: 5_000_000 };

/** What a consumer that heeds transactions sees. */
async function committed(topic: string): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = [];
  await readRanges({
    kafka,
    ranges: await rangesOf(kafka, [topic]),
    onRecord: (record) => void records.push(record),
  });
  return records;
}

describe('topics of 20 kB', () => {
  it('get every emission at least once, shrunk, in the partition of its whole key', async () => {
    const { sink, seen, topics } = await createKafkaSink(kafka, {
      partitions: 4,
      maxMessageBytes: LIMIT,
    });
    await limitTo(kafka, topics.deadLetters, LIMIT);
    const { key } = large('', 0);
    const small = anEmission('small', { key });
    await sink.emit({ ...small, verdict: aVerdict({ verdictId: 'small' }) });
    await Promise.all([0, 1, 2].map((offset) => sink.emit(large(`large-${offset}`, offset))));
    await sink.close();
    const { verdicts, deadLetters } = await seen();
    expect(verdicts).toHaveLength(4);
    for (const { content } of verdicts.filter((each) => each.content.verdictId !== 'small')) {
      expect(content).toMatchObject(SHRUNK_VERDICT);
    }
    expect(deadLetters.map(({ content }) => content)).toMatchObject(
      Array.from({ length: 3 }, () => SHRUNK_LETTER),
    );
    const partitions = (await readAll(kafka, topics.verdicts)).map(({ partition }) => partition);
    expect(new Set(partitions).size).toBe(1);
  });

  it('get every emission exactly once, also when the limit was lowered since it was read', async () => {
    const input = await createTopic(kafka);
    const groupId = uniqueName('group');
    const topics = {
      verdicts: await createTopic(kafka),
      deadLetters: await createTopic(kafka),
      routes: {},
    };
    const clock = systemClock;
    const transactions = createPartitionTransactions(kafka, {
      groupId,
      compression: 'none',
      clock,
    });
    const sink = createTransactionalVerdictSink({
      commit: (partition, messages, offset) => transactions.commit(partition, messages, offset),
      limits: createOutputLimits(kafka, { topics, clock, logger: noLogger }),
      topics,
      encoder: createMessageEncoder({ format: 'avro' }),
      lingerMs: 0,
      clock,
      logger: noLogger,
    });
    let tenure = new AbortController();
    let rewinds = 0;
    const emit = (emission: Emission): Promise<void> => {
      const record = { ...emission.verdict.input, topic: input };
      sink.admit({
        record,
        revoked: tenure.signal,
        rewind: () => {
          rewinds += 1;
          tenure.abort();
        },
      });
      return sink.emit({ ...emission, verdict: { ...emission.verdict, input: record } });
    };
    await transactions.acquire([{ topic: input, partition: 0 }], 'release');
    const first = aVerdict({ verdictId: 'first' });
    await emit(anEmission('first', { verdict: first })); // reads the limits
    for (const topic of [topics.verdicts, topics.deadLetters]) await limitTo(kafka, topic, LIMIT);
    const second = large('second', 1);
    for (let deliveries = 0; ; deliveries++) {
      expect(deliveries).toBeLessThan(4);
      const outcome = await emit(second).catch((error: unknown) => error);
      if (outcome === undefined) break;
      expect(outcome).toMatchObject({ code: 'partition_revoked' });
      tenure = new AbortController();
      await transactions.acquire([{ topic: input, partition: 0 }], 'release');
    }
    await sink.close();
    await transactions.close();
    expect(rewinds).toBeGreaterThan(0);
    expect((await committedOffsets(kafka, groupId, input)).get(0)).toBe(2);
    const verdicts = (await committed(topics.verdicts)).map(({ value }) => decodeVerdict(value));
    expect(await Promise.all(verdicts)).toMatchObject([{ verdictId: 'first' }, SHRUNK_VERDICT]);
    const letters = (await committed(topics.deadLetters)).map(({ value }) =>
      createDeadLetterDecoder().decode(value),
    );
    expect(await Promise.all(letters)).toMatchObject([SHRUNK_LETTER]);
  });
});
