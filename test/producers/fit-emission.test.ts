import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { createMessageEncoder, type MessageEncoder } from '../../src/events/message-encoder.ts';
import { createEmbeddingDecoder } from '../../src/events/index.ts';
import { fitEmission } from '../../src/producers/fit-emission.ts';
import { aDeadLetter, anEmbedding, aPolicyResult, aVerdict } from '../support/builders.ts';
import { fitted, fitTopics, letterIn, textOf } from '../support/fitted.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

function counting(inner: MessageEncoder): { encoder: MessageEncoder; encoded: () => number } {
  let count = 0;
  const counted = <R>(encoding: R): R => {
    count += 1;
    return encoding;
  };
  return {
    encoder: {
      encodeImageEvent: (event, topic) => counted(inner.encodeImageEvent(event, topic)),
      encodeVerdict: (verdict, topic) => counted(inner.encodeVerdict(verdict, topic)),
      encodeDeadLetter: (letter, topic) => counted(inner.encodeDeadLetter(letter, topic)),
      encodeEmbedding: (embedding, topic) => counted(inner.encodeEmbedding(embedding, topic)),
    },
    encoded: () => count,
  };
}

describe('the messages of an emission', () => {
  it('go to the topic of their kind, a verdict to that of its outcome', async () => {
    const emission = anEmission('v', { deadLetter: aDeadLetter(), embedding: anEmbedding() });
    const { messages } = await fitted(emission);
    expect(messages.map(({ topic }) => topic)).toEqual(['blocked', 'dead', 'embeddings']);
    const { verdicts, routes, deadLetters } = fitTopics;
    const without = { verdicts, routes, deadLetters };
    const encoder = createMessageEncoder({ format: 'json' });
    const fewer = await fitEmission(emission, { encoder, topics: without, limitOf: () => 20_000 });
    expect(fewer.messages.map(({ topic }) => topic)).toEqual(['blocked', 'dead']);
  });

  it('are CloudEvents of their own, whatever the input record said it was', async () => {
    const { verdict } = await fitted(
      anEmission('v-1', {
        headers: [
          { name: 'ce_id', value: Buffer.from('of the input') },
          { name: 'content-type', value: Buffer.from('image/png') },
          { name: 'tenant', value: Buffer.from('acme') },
        ],
      }),
    );
    expect(textOf(verdict, 'ce_id')).toBe('v-1');
    expect(textOf(verdict, 'content-type')).toBe('application/json');
    expect(textOf(verdict, 'tenant')).toBe('acme');
  });

  it('carry key and headers as they are: repeated, in order, null, of any name', async () => {
    const headers = [
      { name: 'hop', value: Buffer.from('1') },
      { name: 'constructor', value: null },
      { name: '__proto__', value: Buffer.from('p') },
      { name: 'hop', value: Buffer.from('2') },
    ];
    const { messages } = await fitted(anEmission('v', { headers, deadLetter: aDeadLetter() }));
    for (const message of messages) {
      expect(message.key).toEqual(Buffer.from('key-1'));
      expect(message.headers.slice(0, 4)).toEqual(headers);
    }
  });

  it('are encoded once each where they fit, and marked as shrunk nowhere', async () => {
    const { encoder, encoded } = counting(createMessageEncoder({ format: 'json' }));
    const emission = anEmission('v', { deadLetter: aDeadLetter(), embedding: anEmbedding() });
    const { content, shrunk, messages } = await fitted(emission, { encoder });
    expect(encoded()).toBe(3);
    expect([content, shrunk]).toEqual([emission.verdict, []]);
    expect(await letterIn(messages)).toEqual(emission.deadLetter);
  });

  it('are not encoded to find out what their lengths say already', async () => {
    const { encoder, encoded } = counting(createMessageEncoder({ format: 'json' }));
    const labels = { huge: 'x'.repeat(20_000_000) };
    await fitted(anEmission('v', { verdict: aVerdict({ labels }) }), { encoder });
    expect(encoded()).toBe(1);
  });

  it('pass on what the encoder cannot help', async () => {
    const encoder: MessageEncoder = {
      ...createMessageEncoder({ format: 'json' }),
      encodeVerdict: () =>
        Promise.reject(new AppError('registry_unavailable', 'registering: away')),
    };
    await expect(fitted(anEmission('v'), { encoder })).rejects.toMatchObject({
      code: 'registry_unavailable',
    });
  });
});

describe('embeddings that are too large', () => {
  const vector = Array.from({ length: 100 }, () => 0.5);
  const others = Array.from({ length: 100 }, (_, frame) => {
    return { frame, crop: 'tile', background: null, vector };
  });

  it('are reduced to that of the first view, as the verdict says', async () => {
    const embedding = anEmbedding({ vector, others });
    const { content, messages } = await fitted(anEmission('v', { embedding }));
    expect(content.shrunk).toEqual(['embedding-others']);
    const sent = messages.find(({ topic }) => topic === 'embeddings');
    expect(await createEmbeddingDecoder().decode(sent?.value ?? null)).toEqual({
      ...embedding,
      others: [],
    });
  });

  it('are left out where even that does not fit, as the verdict says', async () => {
    const embedding = anEmbedding({ vector: Array.from({ length: 9_000 }, () => 0.5), others });
    const { content, messages } = await fitted(anEmission('v', { embedding }));
    expect(content.shrunk).toEqual(['embedding']);
    expect(messages).toHaveLength(1);
  });
});

describe('a message of ours that cannot be encoded', () => {
  it('is replaced by a not_inspected verdict that says so: never by what looks like an answer', async () => {
    const verdict = aVerdict({
      outcome: 'allow',
      decidedAt: Number.NaN,
      policies: [aPolicyResult({ score: Number.NaN })],
    });
    const embedding = anEmbedding({ vector: [Number.NaN] });
    const { content, errors, messages, shrunk } = await fitted(
      anEmission('v', { verdict, embedding, onError: 'block' }),
    );
    expect(content).toMatchObject({
      verdictId: verdict.verdictId,
      input: verdict.input,
      outcome: 'not_inspected',
      reason: { code: 'emission_unencodable', requested: 'block' },
      shrunk: ['embedding', 'minimal'],
    });
    expect(shrunk).toEqual(['embedding', 'minimal']);
    expect(messages.map(({ topic }) => topic)).toEqual(['verdicts']);
    expect(errors).toHaveLength(2);
  });

  it('is replaced by a dead letter that can be, and that cannot be redriven', async () => {
    const deadLetter = aDeadLetter({ timestamp: -(2 ** 63), failedAt: Number.NaN });
    const { messages } = await fitted(anEmission('v', { deadLetter }));
    expect(await letterIn(messages)).toMatchObject({
      timestamp: -(2 ** 52),
      value: deadLetter.value,
      shrunk: ['record-headers'],
    });
  });
});
