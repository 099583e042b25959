import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { CONTRACTS, IMAGE_EVENT } from '../../src/events/schemas.ts';
import { anImageEvent } from '../support/builders.ts';
import { MemorySchemaRegistry, confluent } from '../support/memory-schema-registry.ts';
import { LIST, avro, decoder, json, nullsOf, withField } from '../support/strange-records.ts';

describe('whatever a stranger sends', () => {
  const valid = [
    json({ labels: { a: 'b' }, source: 's' }),
    avro({ labels: { a: 'b' } }),
    avro({ image: { bytes: Buffer.alloc(20) } }),
    nullsOf(10_000),
    withField(LIST, Buffer.from([2, 2, 0])),
  ];
  const mutation = fc.record({
    at: fc.nat({ max: 400 }),
    remove: fc.nat({ max: 3 }),
    insert: fc.uint8Array({ maxLength: 4 }),
  });
  // Not the id, of which there are too many that the registry does not know.
  const mutate = (
    value: Buffer,
    { at, remove, insert }: { at: number; remove: number; insert: Uint8Array },
  ) => {
    const from = value[0] === 0 ? 5 + (at % (value.length - 5)) : at % value.length;
    return Buffer.concat([value.subarray(0, from), insert, value.subarray(from + remove)]);
  };

  it('it is an image event that we can write, or an error with a code', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...valid),
        fc.array(mutation, { maxLength: 3 }),
        async (value, mutations) => {
          const event = await decoder
            .decode(mutations.reduce(mutate, value))
            .catch((error: unknown) => {
              expect(error).toBeInstanceOf(AppError);
              expect(error).toMatchObject({ disposition: 'dead-letter' });
            });
          if (event) expect(IMAGE_EVENT.isValid(event)).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('its schema is read or refused with a code, however it is mutated', async () => {
    const schema = Buffer.from(CONTRACTS.imageEvent.text);
    const body = IMAGE_EVENT.toBuffer(anImageEvent());
    const clock = { now: () => 0, elapsed: () => 0, sleep: () => Promise.resolve() };
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.nat({ max: 900 }),
            remove: fc.nat({ max: 9 }),
            insert: fc.uint8Array({ maxLength: 2 }),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        async (mutations) => {
          const strangers = new MemorySchemaRegistry();
          const id = strangers.add(mutations.reduce(mutate, schema).toString());
          await createEventDecoder({ registry: strangers, clock })
            .decode(confluent(id, body))
            .catch((error: unknown) => {
              expect(error).toBeInstanceOf(AppError);
              expect(error).toMatchObject({ disposition: 'dead-letter' });
            });
        },
      ),
      { numRuns: 300 },
    );
  });
});
