import { describe, expect, it, jest } from '@jest/globals';
import { outputTopics } from '../../src/producers/topic-routes.ts';
import { aDeadLetter, aNotInspectedVerdict, aVerdict, anEmbedding } from '../support/builders.ts';
import { countRecords, createTopic, readAll, testKafka, uniqueName } from '../support/kafka.ts';
import { limitTo } from '../support/limit-topic.ts';
import { createKafkaSink } from '../support/kafka-sink.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

jest.setTimeout(30_000);

const kafka = testKafka();

describe('the Kafka verdict sink', () => {
  it('writes verdicts, dead letters and embeddings as CloudEvents, each to its topic', async () => {
    const blocked = await createTopic(kafka);
    const { sink, topics } = await createKafkaSink(kafka);
    Object.assign(topics.routes, { block: blocked });
    expect(outputTopics(topics)).toContain(blocked);
    const verdict = aNotInspectedVerdict({ verdictId: 'v-1', eventId: 'event-1' });
    await Promise.all([
      sink.emit(
        anEmission('v-1', { verdict, deadLetter: aDeadLetter(), embedding: anEmbedding() }),
      ),
      sink.emit(anEmission('v-2', { verdict: aVerdict({ verdictId: 'v-2', outcome: 'block' }) })),
    ]);
    await sink.close();

    const headersIn = async (topic: string) =>
      (await readAll(kafka, topic)).map(({ headers = {} }) =>
        ['ce_type', 'ce_id', 'content-type'].map((name) => String(headers[name])),
      );
    const json = 'application/json';
    expect(await headersIn(topics.verdicts)).toEqual([['moderato.verdict.v1', 'v-1', json]]);
    expect(await headersIn(blocked)).toEqual([['moderato.verdict.v1', 'v-2', json]]);
    expect(await headersIn(topics.deadLetters)).toEqual([
      ['moderato.dead-letter.v1', 'v-1.dead-letter', json],
    ]);
    expect(await headersIn(topics.embeddings)).toEqual([
      ['moderato.embedding.v1', 'v-1.embedding', json],
    ]);
  });

  it('acknowledges nothing when the verdict topic is missing', async () => {
    const impatient = testKafka({}, 1);
    const missing = uniqueName('missing');
    const deadLetters = await createTopic(kafka);
    const { sink } = await createKafkaSink(impatient, {
      topics: { verdicts: missing, routes: {}, deadLetters },
    });
    const emission = anEmission('v', { deadLetter: aDeadLetter() });
    await expect(sink.emit(emission)).rejects.toMatchObject({
      code: 'topic_missing',
      message: expect.stringContaining(missing),
    });
    await sink.close();
    expect(await countRecords(kafka, deadLetters)).toBe(0);
  });

  it('keeps a 5 MB dead letter whole', async () => {
    const { sink, seen } = await createKafkaSink(kafka);
    const deadLetter = aDeadLetter({ value: Buffer.alloc(5_000_000, 'image ') });
    await sink.emit(anEmission('large', { deadLetter }));
    await sink.close();
    const { deadLetters } = await seen();
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]?.content.value?.equals(deadLetter.value ?? Buffer.alloc(0))).toBe(true);
  });

  // kafkajs counts its sequence numbers back after the refusal, also those of the verdict that was written;
  // the broker then takes the next verdict for its duplicate, and acknowledges without writing it.
  it('loses no verdict after a request of which one part was refused', async () => {
    const { sink, seen, topics } = await createKafkaSink(kafka, { partitions: 1, lingerMs: 0 });
    await sink.emit(anEmission('before'));
    await limitTo(kafka, topics.deadLetters, 20_000);
    const tooLarge = aDeadLetter({ value: Buffer.alloc(100_000, 'x') });
    await sink.emit(anEmission('first', { deadLetter: tooLarge }));
    await sink.emit(anEmission('second'));
    await sink.close();
    const { verdicts, deadLetters } = await seen();
    expect(verdicts.map(({ content }) => content.verdictId)).toContain('second');
    expect(deadLetters.map(({ content }) => content)).toMatchObject([
      { valueBytes: 100_000, shrunk: ['record-value'] },
    ]);
  });

  it('gives up on a broker that is not there with a clear error', async () => {
    const nobody = testKafka({ brokers: ['127.0.0.1:1'] }, 1);
    const { sink } = await createKafkaSink(kafka, { deliveryTimeoutMs: 0 }, nobody);
    await expect(sink.emit(anEmission('v'))).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(/ECONNREFUSED.*kafka\.brokers/),
    });
    await sink.close();
  });
});
