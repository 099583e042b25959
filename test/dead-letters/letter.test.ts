import { describe, expect, it } from '@jest/globals';
import { readLetter } from '../../src/dead-letters/letter.ts';
import { incompleteness } from '../../src/dead-letters/whole.ts';
import { createDeadLetterDecoder } from '../../src/events/index.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import type { DeadLetter } from '../../src/events/types.generated.ts';
import { aDeadLetter, aRecord } from '../support/builders.ts';

const decoder = createDeadLetterDecoder();

async function readBack(letter: Partial<DeadLetter>) {
  const encoder = createMessageEncoder({ format: 'json' });
  const { value } = await encoder.encodeDeadLetter(aDeadLetter(letter), 'dead-letters');
  return await readLetter(decoder, aRecord({ value }));
}

describe('a record of the dead-letter topic', () => {
  it('is a letter', async () => {
    expect(await readBack({ offset: 7 })).toMatchObject({ kind: 'letter', letter: { offset: 7 } });
  });

  it('is undecodable where it could not be taken out of its batch, even beside a note’s header', async () => {
    const fault = { code: 'event_undecodable', message: 'its batch is corrupt' } as const;
    const headers = [{ name: 'moderato-redriven', value: Buffer.from('0/1') }];
    expect(await readLetter(decoder, aRecord({ value: null, headers, fault }))).toMatchObject({
      kind: 'undecodable',
      error: { code: 'event_undecodable', message: 'its batch is corrupt' },
    });
  });

  it.each<[string, Partial<DeadLetter>]>([
    ['a topic that cannot be', { topic: '../etc' }],
    ['an endless topic', { topic: 'x'.repeat(10_000) }],
    ['a negative partition', { partition: -1 }],
    ['a negative offset', { offset: -5 }],
    ['negative attempts', { attempts: -1 }],
  ])('is undecodable where it names %s', async (_, letter) => {
    const read = await readBack(letter);
    expect(read).toMatchObject({ kind: 'undecodable', error: { code: 'event_invalid' } });
    expect(read.kind === 'undecodable' && read.error.message.length).toBeLessThan(500);
  });
});

describe('a letter without its whole record', () => {
  const shrunk = (...names: string[]) => ({ ...aDeadLetter(), shrunk: names });

  it('says what is left out', () => {
    expect(incompleteness(shrunk('record-headers', 'record-value'))).toMatch(
      /no room for the record: headers and part of the value left out/,
    );
    expect(incompleteness(shrunk('minimal'))).toContain('key, value and headers');
  });

  it('is one whose record could not be read', () => {
    const error = { code: 'event_batch_corrupt', message: 'CRC', stage: 'fetch' };
    expect(incompleteness(aDeadLetter({ value: null, error }))).toContain('position only');
  });

  it('is none that lacks parts of the letter, not of the record', () => {
    expect(incompleteness(shrunk('headers', 'key', 'texts'))).toBeUndefined();
    expect(incompleteness(aDeadLetter())).toBeUndefined();
  });
});
