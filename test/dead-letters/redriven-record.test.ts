import { describe, expect, it } from '@jest/globals';
import { redriven } from '../../src/dead-letters/redriven-record.ts';
import { redrivenHeaders } from '../../src/events/origin.ts';
import { kafkaHeaders } from '../../src/kafka/outgoing-message.ts';
import { aDeadLetter, aRecord } from '../support/builders.ts';

const target = (partitions: number) => ({
  topic: 'images',
  partitions: Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [0],
    isr: [0],
  })),
});
const at = aRecord({ topic: 'dead-letters', partition: 1, offset: 8, key: Buffer.from('k') });

describe('a redriven letter', () => {
  it('is its record and a note behind the letter, with the key of each', () => {
    const letter = aDeadLetter({ partition: 2, offset: 5, headers: [], key: Buffer.from([0xff]) });
    const { messages, position, bytes } = redriven(letter, at, target(3));
    expect(position).toEqual({ partition: 1, offset: 8 });
    expect(bytes).toBeGreaterThan(letter.value?.length ?? 0);
    const headers = kafkaHeaders([
      { name: 'moderato-origin', value: Buffer.from('images/2/5') },
      { name: 'moderato-attempts', value: Buffer.from('1') },
    ]);
    expect(messages).toEqual([
      { topic: 'images', message: { key: letter.key, value: letter.value, headers, partition: 2 } },
      {
        topic: 'dead-letters',
        message: {
          key: at.key,
          value: null,
          headers: kafkaHeaders([{ name: 'moderato-redriven', value: Buffer.from('1/8') }]),
          partition: 1,
        },
      },
    ]);
  });

  it('keeps the origin of a record that was redriven before', () => {
    const headers = redrivenHeaders([], { topic: 'uploads', partition: 1, offset: 3 }, 1);
    const letter = aDeadLetter({ partition: 2, offset: 5, headers, attempts: 2 });
    const [{ message }] = redriven(letter, at, target(3)).messages;
    expect(message).toMatchObject({
      partition: 1,
      headers: kafkaHeaders([
        { name: 'moderato-origin', value: Buffer.from('uploads/1/3') },
        { name: 'moderato-attempts', value: Buffer.from('2') },
      ]),
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
    expect(redriven(whole, at, target(3)).messages).toHaveLength(2);
  });

  it('goes where its key belongs when the topic has its partition no more', () => {
    const partitionOf = (offset: number) =>
      redriven(aDeadLetter({ partition: 9, offset }), at, target(3)).messages[0].message.partition;
    expect(partitionOf(1)).toBeLessThan(3);
    expect(partitionOf(2)).toBe(partitionOf(1));
    const keyless = redriven(aDeadLetter({ partition: 8, key: null }), at, target(3));
    expect(keyless.messages[0].message.partition).toBe(2);
  });
});
