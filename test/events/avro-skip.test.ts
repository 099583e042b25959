import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { AvroCursor } from '../../src/events/avro-cursor.ts';
import { parseAvroSchema } from '../../src/events/avro-schema.ts';
import { skip } from '../../src/events/avro-skip.ts';
import { MAX_EVENT_VALUES } from '../../src/events/limits.ts';
import { CONTRACTS, IMAGE_EVENT, VERDICT } from '../../src/events/schemas.ts';
import { aVerdict, anImageEvent } from '../support/builders.ts';

/** Passes over a whole body; the values it cost. */
function skipped(schema: unknown, body: Buffer): number {
  const cursor = new AvroCursor(body, MAX_EVENT_VALUES);
  skip(parseAvroSchema(typeof schema === 'string' ? schema : JSON.stringify(schema)), cursor);
  cursor.end();
  return cursor.values;
}
/** A zigzag variable-length integer. */
const long = (value: bigint) => {
  const bytes: number[] = [];
  for (let n = value < 0n ? -value * 2n - 1n : value * 2n; ; n >>= 7n) {
    if (n < 0x80n) return Buffer.from([...bytes, Number(n)]);
    bytes.push(Number(n & 0x7fn) | 0x80);
  }
};
const HUGE = 1n << 40n;

describe('skip', () => {
  it('passes what avsc writes, of every kind of type', () => {
    const schema = {
      type: 'record' as const,
      name: 'Every',
      fields: [
        { name: 'a', type: ['null', 'boolean', 'int', 'string'] },
        { name: 'b', type: { type: 'array', items: { type: 'map', values: 'double' } } },
        { name: 'c', type: { type: 'fixed', name: 'F', size: 3 } },
        { name: 'd', type: { type: 'enum', name: 'E', symbols: ['x', 'y'] } },
        { name: 'e', type: 'float' },
        { name: 'f', type: 'bytes' },
        { name: 'g', type: 'long' },
        { name: 'h', type: { type: 'array', items: 'null' } },
      ],
    };
    const type = avsc.Type.forSchema(schema as avsc.Schema);
    for (let run = 0; run < 200; run++) {
      const value: unknown = type.random();
      expect(() => skipped(schema, type.toBuffer(value))).not.toThrow();
    }
    const { verdict, imageEvent } = CONTRACTS;
    expect(() => skipped(verdict.text, VERDICT.toBuffer(aVerdict()))).not.toThrow();
    expect(() => skipped(imageEvent.text, IMAGE_EVENT.toBuffer(anImageEvent()))).not.toThrow();
  });

  it('agrees with avsc on every way to cut a verdict short', () => {
    const whole = VERDICT.toBuffer(aVerdict());
    for (let length = 0; length < whole.length; length++) {
      expect(() => skipped(CONTRACTS.verdict.text, whole.subarray(0, length))).toThrow();
    }
  });

  it.each([
    ['bytes of 2^40', 'bytes', [long(HUGE)]],
    ['a string of -5', 'string', [long(-5n)]],
    ['an array of 2^40 longs', { type: 'array', items: 'long' }, [long(HUGE)]],
    ['an array of 2^40 nothings', { type: 'array', items: 'null' }, [long(HUGE), long(0n)]],
    ['a map of 2^40', { type: 'map', values: 'string' }, [long(HUGE)]],
    ['a map key of 2^40', { type: 'map', values: 'null' }, [long(1n), long(HUGE)]],
    ['a block of -2^40', { type: 'array', items: 'int' }, [long(-HUGE), long(1n)]],
    [
      'a block whose size goes backwards, which a skipping reader would follow for ever',
      { type: 'array', items: 'int' },
      [long(-1n), long(-3n), long(0n), long(0n)],
    ],
    ['a number without end', 'long', [Buffer.alloc(1_000, 0xff)]],
    ['a branch that is not there', ['null', 'int'], [long(2n)]],
    ['a negative branch', ['null', 'int'], [long(-1n)]],
    ['more than it needs', 'int', [long(1n), long(1n)]],
  ])('refuses %s at once', (_, schema, parts) => {
    expect(() => skipped(schema, Buffer.concat(parts))).toThrow();
  });

  it('refuses nesting that would exhaust the stack', () => {
    const list = {
      type: 'record',
      name: 'List',
      fields: [{ name: 'next', type: ['null', 'List'] }],
    };
    expect(() => skipped(list, Buffer.alloc(100_000, 2))).toThrow('nested deeper');
    expect(() => skipped(list, Buffer.from([2, 2, 2, 0]))).not.toThrow();
  });

  it('refuses records without bytes that hold one another twice, thirty levels deep', () => {
    const levels = Array.from({ length: 30 }, (_, level) => ({
      type: 'record',
      name: `L${level}`,
      fields: ['a', 'b'].map((name) => ({ name, type: level === 0 ? 'null' : `L${level - 1}` })),
    }));
    const schema = [...levels, { type: 'array', items: 'L29' }];
    const body = Buffer.concat([long(30n), long(1n), long(0n)]);
    expect(() => skipped(schema, body)).toThrow('more than 20000 values');
  });

  it('does not look into blocks that say their size', () => {
    const ints = Buffer.alloc(15_000, 2);
    const body = Buffer.concat([long(-15_000n), long(15_000n), ints, long(0n)]);
    expect(skipped({ type: 'array', items: 'int' }, body)).toBe(1);
  });

  it('takes arrays in several blocks, with and without their size', () => {
    const schema = { type: 'array', items: 'int' };
    const blocks = [long(1n), long(7n), long(-2n), long(2n), long(8n), long(9n), long(0n)];
    const body = Buffer.concat(blocks);
    expect(() => skipped(schema, body)).not.toThrow();
    expect(avsc.Type.forSchema(schema as avsc.Schema).fromBuffer(body)).toEqual([7, 8, 9]);
  });

  it('lets nothing through that avsc would find truncated', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const body = Buffer.from(bytes);
        try {
          skipped(CONTRACTS.imageEvent.text, body);
        } catch {
          return;
        }
        try {
          IMAGE_EVENT.fromBuffer(body);
        } catch (error) {
          expect(String(error)).not.toMatch(/truncated|trailing/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
