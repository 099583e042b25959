import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import {
  createDeadLetterDecoder,
  createEmbeddingDecoder,
  createVerdictDecoder,
  decodeVerdict,
} from '../../src/events/index.ts';
import { createMessageEncoder, type WireFormat } from '../../src/events/message-encoder.ts';
import { VERDICT } from '../../src/events/schemas.ts';
import {
  PIXEL_PNG,
  aDeadLetter,
  aNotInspectedVerdict,
  aPolicyResult,
  aVerdict,
  anEmbedding,
} from '../support/builders.ts';
import { MemorySchemaRegistry } from '../support/memory-schema-registry.ts';

const FORMATS: WireFormat[] = ['json', 'avro', 'confluent'];

describe.each(FORMATS)('createMessageEncoder in %s', (format) => {
  it('writes what a consumer reads back unchanged', async () => {
    const registry = new MemorySchemaRegistry();
    const encoder = createMessageEncoder({ format, registry });

    for (const verdict of [aVerdict(), aNotInspectedVerdict()]) {
      const { value } = await encoder.encodeVerdict(verdict, 'verdicts');
      expect(await createVerdictDecoder({ registry }).decode(value)).toEqual(verdict);
    }
    const letter = aDeadLetter({ value: PIXEL_PNG });
    const dead = await encoder.encodeDeadLetter(letter, 'dead-letters');
    expect(await createDeadLetterDecoder({ registry }).decode(dead.value)).toEqual(letter);

    const embedding = await encoder.encodeEmbedding(anEmbedding(), 'embeddings');
    expect(await createEmbeddingDecoder({ registry }).decode(embedding.value)).toEqual(
      anEmbedding(),
    );
  });

  it('refuses numbers that are none', async () => {
    const encoder = createMessageEncoder({ format, registry: new MemorySchemaRegistry() });
    for (const score of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const verdict = aVerdict({ policies: [aPolicyResult({ score })] });
      await expect(async () => encoder.encodeVerdict(verdict, 'v')).rejects.toThrow(
        new TypeError('encoding verdict: not a finite number at policies.0.score'),
      );
    }
    await expect(async () =>
      encoder.encodeEmbedding(anEmbedding({ vector: [0, Number.NaN] }), 'e'),
    ).rejects.toThrow('vector.1');
  });

  it('refuses what does not fit the schema, and says where', async () => {
    const encoder = createMessageEncoder({ format, registry: new MemorySchemaRegistry() });
    const verdict = aVerdict({ outcome: 'maybe' as 'allow', decidedAt: 0.5 });
    await expect(async () => encoder.encodeVerdict(verdict, 'v')).rejects.toThrow(
      new TypeError('encoding verdict: does not fit its schema at decidedAt, outcome'),
    );
  });
});

describe('JSON', () => {
  it('is one object with bytes in base64 and vectors as arrays', async () => {
    const encoder = createMessageEncoder({ format: 'json' });
    const { value, contentType } = await encoder.encodeDeadLetter(aDeadLetter(), 'd');
    expect(contentType).toBe('application/json');
    expect(JSON.parse(value.toString())).toMatchObject({
      key: 'a2V5LTE=',
      headers: [{ name: 'origin', value: 'dGVzdA==' }],
    });
    const embedding = await encoder.encodeEmbedding(anEmbedding(), 'e');
    expect(JSON.parse(embedding.value.toString())).toEqual(anEmbedding());
  });

  it('leaves out what the schema does not know', async () => {
    const encoder = createMessageEncoder({ format: 'json' });
    const verdict = { ...aVerdict(), policies: [{ ...aPolicyResult(), note: 'ours' }], more: 1 };
    const { value } = await encoder.encodeVerdict(verdict, 'v');
    expect(JSON.parse(value.toString())).toEqual(aVerdict({ policies: [aPolicyResult()] }));
  });

  it('of a verdict is what the schema calls a verdict', async () => {
    const { value } = await createMessageEncoder({ format: 'json' }).encodeVerdict(aVerdict(), 'v');
    expect(VERDICT.isValid(JSON.parse(value.toString()))).toBe(true);
  });
});

describe('Avro single-object encoding', () => {
  it('begins with C3 01 and the fingerprint of the schema', async () => {
    const { value, contentType } = await createMessageEncoder({ format: 'avro' }).encodeVerdict(
      aVerdict(),
      'v',
    );
    expect(value.subarray(0, 10).toString('hex')).toBe('c301cf1a07b705c3c545');
    expect(contentType).toBe('application/avro');
    expect((await decodeVerdict(value)).outcome).toBe('block');
  });
});

describe('Confluent wire format', () => {
  it('needs a registry, and says so before the first message', () => {
    expect(() => createMessageEncoder({ format: 'confluent' })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  });

  it('registers each topic once, under its own subject, however many messages wait', async () => {
    const registry = new MemorySchemaRegistry();
    const encoder = createMessageEncoder({ format: 'confluent', registry });
    const topics = ['verdicts', 'blocked', 'verdicts', 'verdicts', 'blocked'];

    const all = await Promise.all(topics.map((topic) => encoder.encodeVerdict(aVerdict(), topic)));
    await encoder.encodeVerdict(aVerdict(), 'verdicts');

    expect(registry.registrations).toEqual(['verdicts-value', 'blocked-value']);
    expect(all[0]?.value.subarray(0, 5).toString('hex')).toBe('0000000001');
  });

  it('follows another naming of subjects', async () => {
    const registry = new MemorySchemaRegistry();
    const subjectOf = (topic: string) => `prod.${topic}`;
    const encoder = createMessageEncoder({ format: 'confluent', registry, subjectOf });
    await encoder.encodeVerdict(aVerdict(), 'verdicts');
    expect(registry.registrations).toEqual(['prod.verdicts']);
  });

  it('tries again after the registry was away', async () => {
    const registry = new MemorySchemaRegistry();
    const encoder = createMessageEncoder({ format: 'confluent', registry });
    registry.failure = new AppError('registry_unavailable', 'away');
    await expect(encoder.encodeVerdict(aVerdict(), 'v')).rejects.toBe(registry.failure);

    registry.failure = null;
    await expect(encoder.encodeVerdict(aVerdict(), 'v')).resolves.toMatchObject({
      contentType: 'application/avro',
    });
  });
});
