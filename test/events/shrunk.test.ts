import { expect, it } from '@jest/globals';
import { lostParts } from '../../src/events/shrunk.ts';

it('a dead letter has lost what its record had, not what only its message carries', () => {
  expect(lostParts({ shrunk: [] })).toEqual([]);
  expect(lostParts({ shrunk: ['headers', 'texts', 'key'] })).toEqual([]);
  expect(lostParts({ shrunk: ['headers', 'record-headers', 'record-value', 'minimal'] })).toEqual([
    'record-headers',
    'record-value',
    'minimal',
  ]);
});
