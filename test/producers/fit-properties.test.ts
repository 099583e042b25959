import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createMessageEncoder, type WireFormat } from '../../src/events/message-encoder.ts';
import {
  createDeadLetterDecoder,
  createEmbeddingDecoder,
  decodeVerdict,
} from '../../src/events/index.ts';
import type { Header } from '../../src/events/types.generated.ts';
import { recordBytes } from '../../src/kafka/outgoing-message.ts';
import { deadLetterOf } from '../../src/producers/dead-letter.ts';
import { fitEmission } from '../../src/producers/fit-emission.ts';
import { BATCH_OVERHEAD_BYTES, LEAST_LIMIT_BYTES } from '../../src/producers/message-bounds.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';
import { anEmbedding, aPolicyResult, aRegion, aVerdict } from '../support/builders.ts';

jest.setTimeout(120_000);

const topics = { verdicts: 'v', routes: {}, deadLetters: 'd', embeddings: 'e' };

/** Up to some 300 kB, of any characters, lone surrogates and control characters among them. */
const text = fc
  .tuple(
    fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 20 }).map((units) => {
        return String.fromCharCode(...units);
      }),
    ),
    fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.constantFrom(100, 1_000, 10_000)),
  )
  .map(([unit, times]) => unit.repeat(times));
const bytes = fc
  .tuple(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(1, 1, 100, 10_000))
  .map(([unit, times]) => Buffer.from(Buffer.concat(Array.from({ length: times }, () => unit))));
const header: fc.Arbitrary<Header> = fc.record({
  name: fc.oneof(
    text,
    fc.constantFrom('traceparent', 'tracestate', 'moderato-origin', '__proto__'),
  ),
  value: fc.option(bytes),
});
const headers = fc.array(header, { maxLength: 5 });
const position = fc.record({
  topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/),
  partition: fc.nat(2 ** 31 - 1),
  offset: fc.maxSafeNat().map((offset) => Math.min(offset, Number.MAX_SAFE_INTEGER - 1)),
});
const result = fc
  .record({
    id: text,
    title: text,
    prompt: text,
    contrast: fc.option(text),
    band: fc.constantFrom('allow' as const, 'review' as const, 'block' as const),
    mode: fc.constantFrom('enforce' as const, 'shadow' as const),
    score: fc.oneof({ weight: 20, arbitrary: fc.double() }, fc.constant(Number.NaN)),
  })
  .map((parts) => aPolicyResult({ ...parts, region: aRegion() }));
const outcome = fc.constantFrom('allow', 'review', 'block', 'not_inspected');

const emission: fc.Arbitrary<Emission> = fc
  .record({
    verdictId: fc.stringMatching(/^[0-9a-f]{32}$/),
    eventId: fc.option(text),
    source: fc.option(text),
    tenant: fc.option(text),
    labels: fc.dictionary(text, text, { maxKeys: 5 }),
    policies: fc.array(result, { maxLength: 5 }),
    reason: fc.option(text),
    outcome,
    input: position,
    key: fc.option(bytes),
    headers,
    value: fc.option(bytes),
    timestamp: fc.oneof(fc.double(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(Number)),
    isDead: fc.boolean(),
    others: fc.option(fc.nat(300)),
  })
  .map(({ reason, key, headers, value, timestamp, isDead, others, ...parts }) => {
    const verdict = aVerdict({
      ...parts,
      reason:
        reason === null
          ? null
          : { code: 'image_corrupt', message: reason, stage: 'fetch', requested: 'review' },
    });
    const record = { ...parts.input, timestamp, key, value, headers };
    const error = { code: 'event_invalid', message: reason ?? '', stage: 'decode' };
    const view = { frame: 0, crop: 'tile', background: null, vector: [0.5, 0.25] };
    return {
      key,
      headers,
      verdict,
      ...(isDead && { deadLetter: deadLetterOf(record, error, 1_750_000_000_000) }),
      ...(others !== null && {
        embedding: anEmbedding({
          eventId: parts.eventId ?? '',
          others: Array.from({ length: others }, () => view),
        }),
      }),
    };
  });

/** Whether a text of the output stands for that of the input: the same, or its beginning. */
function standsFor(cut: string | null, whole: string | null): boolean {
  if (cut === null || whole === null) return cut === whole;
  const known = whole.toWellFormed();
  return cut === known || (cut.endsWith('…') && known.startsWith(cut.slice(0, -1)));
}

describe.each<WireFormat>(['json', 'avro'])('any emission, in %s', (format) => {
  it('fits any limit of 4 KiB or more, can be read again, and says what it was about', async () => {
    const encoder = createMessageEncoder({ format });
    const limit = fc.oneof(
      fc.constant(LEAST_LIMIT_BYTES),
      fc.integer({ min: LEAST_LIMIT_BYTES, max: 200_000 }),
    );
    await fc.assert(
      fc.asyncProperty(emission, limit, async (whole, bytesAllowed) => {
        const { verdict, deadLetter } = whole;
        const { messages, shrunk } = await fitEmission(whole, {
          encoder,
          topics,
          limitOf: () => bytesAllowed,
        });
        for (const { key, value, headers: sent } of messages) {
          const room = bytesAllowed - BATCH_OVERHEAD_BYTES;
          expect(recordBytes(key, value, sent)).toBeLessThanOrEqual(room);
        }
        const valueIn = (topic: string) =>
          messages.find((message) => message.topic === topic)?.value ?? null;

        const told = await decodeVerdict(valueIn('v'));
        expect(told.verdictId).toBe(verdict.verdictId);
        expect(told.input).toEqual(verdict.input);
        expect(standsFor(told.eventId, verdict.eventId)).toBe(true);
        const isUnencodable = verdict.policies.some(({ score }) => !Number.isFinite(score));
        expect(told.outcome).toBe(isUnencodable ? 'not_inspected' : verdict.outcome);
        if (shrunk.length === 0) expect(told.labels).toEqual(wellFormed(verdict.labels));

        if (deadLetter) {
          const letter = await createDeadLetterDecoder().decode(valueIn('d'));
          const { topic, partition, offset } = letter;
          expect({ topic, partition, offset }).toEqual(verdict.input);
          const kept = letter.value ?? Buffer.alloc(0);
          const { value } = deadLetter;
          expect(letter.value === null).toBe(value === null);
          expect(value?.subarray(0, kept.length).equals(kept) ?? true).toBe(true);
          expect(letter.valueBytes ?? kept.length).toBe(value?.length ?? 0);
          const isWhole = kept.length === (value?.length ?? 0);
          expect(isWhole).toBe(letter.valueSha256 === null);
        }
        const embedded = valueIn('e');
        if (embedded) await createEmbeddingDecoder().decode(embedded);
        else expect(told.shrunk.includes('embedding')).toBe(whole.embedding !== undefined);
      }),
      { numRuns: 100 },
    );
  });
});

function wellFormed(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [name.toWellFormed(), value.toWellFormed()]),
  );
}
