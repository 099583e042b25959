import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { WireFormat } from '../../src/events/message-encoder.ts';
import type { DeadLetter } from '../../src/events/types.generated.ts';
import { LEAST_LIMIT_BYTES } from '../../src/producers/message-bounds.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';
import { aDeadLetter, aNotInspectedVerdict } from '../support/builders.ts';
import { aHeader, fitted, letterIn } from '../support/fitted.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

describe.each<WireFormat>(['json', 'avro'])('a dead letter that is too large, in %s', (format) => {
  const shrink = (deadLetter: DeadLetter, emission: Partial<Emission> = {}, limit = 20_000) =>
    fitted(anEmission('v', { verdict: aNotInspectedVerdict(), deadLetter, ...emission }), {
      format,
      limit,
    });

  it('keeps the beginning of the value, with the length and the SHA-256 of the whole', async () => {
    const value = Buffer.alloc(2_000_000, 'not an image event ');
    const { messages, shrunk, content } = await shrink(aDeadLetter({ value }));
    const letter = await letterIn(messages);
    expect(letter.shrunk).toEqual(['record-value']);
    expect(shrunk).toEqual(['record-value']);
    expect(content.shrunk).toEqual([]);
    expect(letter.valueBytes).toBe(2_000_000);
    expect(letter.valueSha256).toBe(createHash('sha256').update(value).digest('hex'));
    const kept = letter.value ?? Buffer.alloc(0);
    expect(kept.length).toBeGreaterThan(10_000);
    expect(kept.equals(value.subarray(0, kept.length))).toBe(true);
    expect([letter.key, letter.headers]).toEqual([aDeadLetter().key, aDeadLetter().headers]);
  });

  it('is whole as long as only what its message carries twice is left out', async () => {
    const headers = [aHeader('carried', 18_000)];
    const key = Buffer.alloc(900, 'k');
    const { messages, others } = await shrink(aDeadLetter({ key, headers: [] }), { key, headers });
    const letter = await letterIn(messages);
    expect(letter.shrunk).toEqual(['headers']);
    expect([letter.key, letter.valueBytes]).toEqual([key, null]);
    expect(others[0]?.key).toEqual(key);
  });

  it('loses the largest headers of the record, and the end of its key', async () => {
    const headers = [aHeader('huge', 1_000_000), aHeader('small', 50)];
    const key = Buffer.alloc(300_000, 'k');
    const { messages } = await shrink(aDeadLetter({ headers, key }), { headers, key });
    const letter = await letterIn(messages);
    expect(letter.shrunk).toEqual(['headers', 'key', 'record-headers', 'record-key']);
    expect(letter.headers.map(({ name }) => name)).toEqual(['small']);
    expect(letter.key).toEqual(key.subarray(0, 1_024));
    expect(letter.value).toEqual(aDeadLetter().value);
  });

  it('is brought down to what identifies it, in 4 KiB, whatever the record was', async () => {
    const name = '\u0002'.repeat(100);
    const headers = Array.from({ length: 500 }, () => aHeader(name, 100));
    const { messages } = await shrink(
      aDeadLetter({
        headers,
        topic: 't'.repeat(249),
        value: Buffer.alloc(100_000),
        key: Buffer.alloc(5_000),
      }),
      { headers, key: Buffer.alloc(9_000) },
      LEAST_LIMIT_BYTES,
    );
    const letter = await letterIn(messages);
    expect(letter).toMatchObject({ partition: 0, offset: 0, valueBytes: 100_000 });
    expect(letter.topic).toHaveLength(249);
  });

  it('keeps a tombstone a tombstone', async () => {
    const headers = [aHeader('huge', 1_000_000)];
    const { messages } = await shrink(aDeadLetter({ value: null, headers }), {}, LEAST_LIMIT_BYTES);
    expect(await letterIn(messages)).toMatchObject({ value: null, valueBytes: null });
  });
});
