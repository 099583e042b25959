import { describe, expect, it } from '@jest/globals';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { outgoingMessages } from '../../src/producers/outgoing.ts';
import { aDeadLetter, anEmbedding, aVerdict } from '../support/builders.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

const encoder = createMessageEncoder({ format: 'json' });
const topics = { verdicts: 'verdicts', routes: { block: 'blocked' }, deadLetters: 'dead' };

describe('outgoing messages', () => {
  it('go to the topic of their kind, a verdict to that of its outcome', async () => {
    const emission = anEmission('v', { deadLetter: aDeadLetter(), embedding: anEmbedding() });
    const withEmbeddings = await outgoingMessages(emission, encoder, {
      ...topics,
      embeddings: 'embeddings',
    });
    expect(withEmbeddings.map(({ topic }) => topic)).toEqual(['blocked', 'dead', 'embeddings']);
    const without = await outgoingMessages(emission, encoder, topics);
    expect(without.map(({ topic }) => topic)).toEqual(['blocked', 'dead']);
  });

  it('are CloudEvents of their own, whatever the input record said it was', async () => {
    const emission = anEmission('v-1', {
      headers: [
        { name: 'ce_id', value: Buffer.from('of the input') },
        { name: 'content-type', value: Buffer.from('image/png') },
        { name: 'tenant', value: Buffer.from('acme') },
      ],
      verdict: aVerdict({ verdictId: 'v-1' }),
    });
    const [outgoing] = await outgoingMessages(emission, encoder, topics);
    const headers = outgoing?.message.headers ?? {};
    const text = (name: string) => String(headers[name]);
    expect(text('ce_id')).toBe('v-1');
    expect(text('content-type')).toBe('application/json');
    expect(text('tenant')).toBe('acme');
  });

  it('carry repeated headers in order, and null values as empty ones', async () => {
    const emission = anEmission('v', {
      headers: [
        { name: 'hop', value: Buffer.from('1') },
        { name: 'flag', value: null },
        { name: 'hop', value: Buffer.from('2') },
      ],
    });
    const [outgoing] = await outgoingMessages(emission, encoder, topics);
    expect(outgoing?.message.headers).toMatchObject({
      hop: [Buffer.from('1'), Buffer.from('2')],
      flag: [Buffer.alloc(0)],
    });
  });

  it('know their size: never less than value, key and headers', async () => {
    const emission = anEmission('v', {
      key: Buffer.alloc(1_000),
      headers: [{ name: 'big', value: Buffer.alloc(2_000) }],
    });
    const [outgoing] = await outgoingMessages(emission, encoder, topics);
    const value = outgoing?.message.value as Buffer;
    expect(outgoing?.bytes).toBeGreaterThan(value.length + 3_000);
    expect(outgoing?.bytes).toBeLessThan(value.length + 3_000 + 1_000);
  });
});
