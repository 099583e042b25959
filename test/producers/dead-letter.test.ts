import { expect, it } from '@jest/globals';
import { createDeadLetterDecoder } from '../../src/events/index.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { deadLetterOf } from '../../src/producers/dead-letter.ts';
import { aRecord } from '../support/builders.ts';

it('keeps the whole record, so that it can be redriven, and says why it is dead', () => {
  const record = aRecord({
    topic: 'images',
    partition: 3,
    offset: 42,
    key: Buffer.from([0xff]),
    value: Buffer.from('garbage'),
    headers: [
      { name: 'h', value: null },
      { name: 'h', value: Buffer.from('2') },
    ],
  });
  const error = { code: 'event_undecodable', message: 'decoding a record: …', stage: 'decode' };
  expect(deadLetterOf(record, error, 1_750_000_000_500)).toEqual({
    ...record,
    error,
    attempts: 1,
    failedAt: 1_750_000_000_500,
    shrunk: [],
    valueBytes: null,
    valueSha256: null,
  });
});

it.each(['json', 'avro'] as const)(
  'can be read in %s whatever the timestamp of the record',
  async (format) => {
    const error = { code: 'event_empty', message: 'decoding: no value', stage: 'decode' };
    const encoder = createMessageEncoder({ format });
    const decoder = createDeadLetterDecoder();
    const timestampOf = async (timestamp: number) => {
      const letter = deadLetterOf(aRecord({ timestamp }), error, 1_750_000_000_500);
      const { value } = await encoder.encodeDeadLetter(letter, 'dead-letters');
      return (await decoder.decode(value)).timestamp;
    };
    expect(await timestampOf(-(2 ** 63))).toBe(-(2 ** 52));
    expect(await timestampOf(-8.64e15)).toBe(-(2 ** 52));
    expect(await timestampOf(2 ** 63)).toBe(8.64e15);
    expect(await timestampOf(Number.NaN)).toBe(-1);
    expect(await timestampOf(-1)).toBe(-1);
  },
);

it('quotes at most 2 KiB of the error', () => {
  const error = { code: 'event_invalid', message: 'x'.repeat(500_000), stage: 'decode' };
  const letter = deadLetterOf(aRecord(), error, 1_750_000_000_500);
  expect(letter.error.message).toBe(`${'x'.repeat(2_045)}…`);
});
