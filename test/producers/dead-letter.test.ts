import { expect, it } from '@jest/globals';
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
  });
});
