import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { createVerdictDecoder } from '../../src/events/index.ts';
import { createMessageEncoder, type WireFormat } from '../../src/events/message-encoder.ts';
import { CONTRACTS } from '../../src/events/schemas.ts';
import { aPolicyResult, aVerdict, anImageEvent } from '../support/builders.ts';
import { MemorySchemaRegistry, confluent } from '../support/memory-schema-registry.ts';

const FORMATS: WireFormat[] = ['json', 'avro', 'confluent'];

/** Any text that UTF-8 can hold. */
const text = fc.string({ unit: 'binary', maxLength: 20 });
// avsc drops a map key named __proto__; JSON keeps it.
const labels = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  text,
  { noNullPrototype: true, maxKeys: 4 },
);
/** What avsc reads and writes exactly as a number. */
const long = fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 });
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);

const imageEvents = fc
  .record({
    eventId: text.filter((id) => id !== ''),
    occurredAt: long,
    bytes: fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
    uri: text,
    sha256: fc.option(sha256),
    source: fc.option(text),
    tenant: fc.option(text),
    labels,
  })
  .map(({ bytes, uri, sha256, ...event }) =>
    anImageEvent({ ...event, image: { bytes, uri: bytes ? null : uri, sha256 } }),
  );

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n));
const verdicts = fc
  .record({
    eventId: fc.option(text),
    offset: long,
    labels,
    outcome: fc.constantFrom('allow' as const, 'review' as const, 'block' as const),
    scores: fc.array(fc.record({ score: finite, margin: fc.option(finite), prompt: text }), {
      maxLength: 4,
    }),
  })
  .map(({ offset, scores, ...rest }) =>
    aVerdict({
      ...rest,
      input: { topic: 'images', partition: 3, offset },
      policies: scores.map((result) => aPolicyResult(result)),
    }),
  );

describe.each(FORMATS)('the round trip in %s', (format) => {
  const registry = new MemorySchemaRegistry();
  const encoder = createMessageEncoder({ format, registry });

  it('loses nothing of an image event', async () => {
    const decoder = createEventDecoder({ registry });
    await fc.assert(
      fc.asyncProperty(imageEvents, async (event) => {
        const { value } = await encoder.encodeImageEvent(event, 'images');
        expect(await decoder.decode(value)).toEqual(event);
      }),
    );
  });

  it('loses nothing of a verdict', async () => {
    const decoder = createVerdictDecoder({ registry });
    await fc.assert(
      fc.asyncProperty(verdicts, async (verdict) => {
        const { value } = await encoder.encodeVerdict(verdict, 'verdicts');
        expect(await decoder.decode(value)).toEqual(verdict);
      }),
    );
  });
});

describe('whatever the bytes', () => {
  const registry = new MemorySchemaRegistry();
  const id = registry.add(CONTRACTS.imageEvent.text);
  const decoder = createEventDecoder({ registry });

  async function survives(value: Buffer): Promise<void> {
    try {
      await decoder.decode(value);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ disposition: 'dead-letter' });
    }
  }
  const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array));

  it('decoding ends in an image event or in an error with a code', async () => {
    const singleObject = await createMessageEncoder({ format: 'avro' }).encodeImageEvent(
      anImageEvent(),
      'images',
    );
    const headers = [
      Buffer.alloc(0),
      Buffer.from('{'),
      Buffer.from('{"eventId":'),
      Buffer.from([0xc3, 0x01]),
      singleObject.value.subarray(0, 10),
      confluent(id, Buffer.alloc(0)),
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...headers), bytes, async (header, rest) =>
        survives(Buffer.concat([header, rest])),
      ),
      { numRuns: 2_000 },
    );
  });

  it('decoding survives every single changed byte of a good record', async () => {
    const { value } = await createMessageEncoder({ format: 'avro' }).encodeImageEvent(
      anImageEvent({ labels: { a: 'b' } }),
      'images',
    );
    for (let at = 0; at < value.length; at++) {
      for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(value);
        changed[at] = byte;
        await survives(changed);
      }
    }
  });

  it('any JSON object gets an answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.object(), async (object) =>
        survives(Buffer.from(JSON.stringify(object))),
      ),
    );
    await survives(Buffer.from(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`));
  });

  it('a record of 20 bytes that claims 2^40 of something costs what 20 bytes cost', async () => {
    // eventId "e", occurredAt 0, image {null, "", null}, source null, tenant null, then 2^40 labels.
    const body = Buffer.from('026500000200000000' + '808080808040' + '0000000000', 'hex');
    await expect(decoder.decode(confluent(id, body))).rejects.toMatchObject({
      code: 'event_undecodable',
    });
  });
});

describe('base64 in JSON', () => {
  const anything = fc.string({
    unit: fc.constantFrom(...Array.from('ABQgw089+/-_= \n!éŁ€')),
    maxLength: 13,
  });
  /** Canonical, but for what happened to one place of it. */
  const almost = fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), fc.nat(2), anything)
    .map(([bytes, at, removed, inserted]) => {
      const letters = Array.from(Buffer.from(bytes).toString('base64'));
      letters.splice(at % letters.length, removed, inserted.slice(0, 2));
      return letters.join('');
    });

  it('is what its bytes are written as, and nothing else', async () => {
    const decoder = createEventDecoder();
    const isTaken = async (bytes: string): Promise<boolean> => {
      const event = { eventId: 'e', occurredAt: 1, image: { bytes } };
      return decoder.decode(Buffer.from(JSON.stringify(event))).then(
        () => true,
        () => false,
      );
    };
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, almost), async (bytes) => {
        const canonical = Buffer.from(bytes, 'base64').toString('base64') === bytes;
        expect(await isTaken(bytes)).toBe(canonical);
      }),
      { numRuns: 2_000 },
    );
  });
});
