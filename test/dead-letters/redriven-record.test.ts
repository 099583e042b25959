import { describe, expect, it } from '@jest/globals';
import { redriven } from '../../src/dead-letters/redriven-record.ts';
import { originOf, redrivenHeaders } from '../../src/events/origin.ts';
import { aDeadLetter, aRecord } from '../support/builders.ts';

const KEY = 'a redrive key of the tests, long enough';
const target = (partitions: number) => ({
  topic: 'images',
  partitions: Array.from({ length: partitions }, (_, partition) => partition),
});
const at = aRecord({ topic: 'dead-letters', partition: 1, offset: 8, key: Buffer.from('k') });

describe('a redriven letter', () => {
  it('is its record and a note behind the letter, with the key of each', () => {
    const letter = aDeadLetter({ partition: 2, offset: 5, headers: [], key: Buffer.from([0xff]) });
    const { record, noteOf, position, bytes } = redriven(letter, at, target(3));
    expect(position).toEqual({ partition: 1, offset: 8 });
    expect(bytes).toBeGreaterThan(letter.value?.length ?? 0);
    expect(record).toEqual({
      topic: 'images',
      partition: 2,
      key: letter.key,
      value: letter.value,
      headers: [
        { name: 'moderato-origin', value: Buffer.from('images/2/5') },
        { name: 'moderato-attempts', value: Buffer.from('1') },
      ],
    });
    expect(noteOf(17)).toEqual({
      topic: 'dead-letters',
      partition: 1,
      key: at.key,
      value: null,
      headers: [
        { name: 'moderato-redriven', value: Buffer.from('1/8') },
        { name: 'moderato-redriven-to', value: Buffer.from('images/2/17') },
      ],
    });
    expect(noteOf(undefined).headers).toHaveLength(1);
  });

  it('keeps the proven origin of a record that was redriven before, and proves it again', () => {
    const origin = { topic: 'uploads', partition: 1, offset: 3 };
    const before = aDeadLetter({ topic: 'images', partition: 2, offset: 5, attempts: 2 });
    const { key, value } = before;
    const headers = redrivenHeaders([], { topic: 'images', key, value, origin, attempts: 1 }, KEY);
    const { record } = redriven({ ...before, headers }, at, target(3), KEY);
    expect(record.partition).toBe(1);
    expect(originOf({ ...record, offset: 99 }, KEY)).toEqual(origin);
    expect(record.headers.filter(({ name }) => name === 'moderato-attempts')).toEqual([
      { name: 'moderato-attempts', value: Buffer.from('2') },
    ]);
  });

  it('does not sign an origin that a publisher has forged', () => {
    const headers = [{ name: 'moderato-origin', value: Buffer.from('images/0/1') }];
    const letter = aDeadLetter({ partition: 2, offset: 5, headers });
    const { record } = redriven(letter, at, target(3), KEY);
    expect(originOf({ ...record, offset: 99 }, KEY)).toEqual({
      topic: 'images',
      partition: 2,
      offset: 5,
    });
  });

  it('is refused when it does not hold the whole record, and the message says where that lies', () => {
    const letter = aDeadLetter({ partition: 2, offset: 5, shrunk: ['headers', 'record-value'] });
    expect(() => redriven(letter, at, target(3))).toThrow(
      expect.objectContaining({
        code: 'letter_incomplete',
        message: expect.stringMatching(/1\/8 of dead-letters.*\(record-value\).*images\/2\/5/),
      }),
    );
    const whole = aDeadLetter({ shrunk: ['headers', 'key', 'texts'] });
    expect(redriven(whole, at, target(3)).record.partition).toBeLessThan(3);
  });

  it('goes where its key belongs when the topic has its partition no more', () => {
    const partitionOf = (offset: number) =>
      redriven(aDeadLetter({ partition: 9, offset }), at, target(3)).record.partition;
    expect(partitionOf(1)).toBeLessThan(3);
    expect(partitionOf(2)).toBe(partitionOf(1));
    const keyless = redriven(aDeadLetter({ partition: 8, key: null }), at, target(3));
    expect(keyless.record.partition).toBe(2);
  });
});
