import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { assertWithinBounds } from '../../src/events/avro-bounds.ts';
import { IMAGE_EVENT, VERDICT } from '../../src/events/schemas.ts';
import { aVerdict, anImageEvent } from '../support/builders.ts';

const type = (schema: unknown) => avsc.Type.forSchema(schema as avsc.Schema);
/** A zigzag variable-length integer. */
const long = (value: bigint) => {
  const bytes: number[] = [];
  for (let n = value < 0n ? -value * 2n - 1n : value * 2n; ; n >>= 7n) {
    if (n < 0x80n) return Buffer.from([...bytes, Number(n)]);
    bytes.push(Number(n & 0x7fn) | 0x80);
  }
};
const HUGE = 1n << 40n;

describe('assertWithinBounds', () => {
  it('passes what avsc writes, of every kind of type', () => {
    const schema = type({
      type: 'record',
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
    });
    for (let run = 0; run < 200; run++) {
      const value: unknown = schema.random();
      expect(() => assertWithinBounds(schema, schema.toBuffer(value))).not.toThrow();
    }
    for (const [contract, message] of [
      [VERDICT, aVerdict()],
      [IMAGE_EVENT, anImageEvent()],
    ] as const) {
      expect(() => assertWithinBounds(contract, contract.toBuffer(message))).not.toThrow();
    }
  });

  it('agrees with avsc on every way to cut a verdict short', () => {
    const whole = VERDICT.toBuffer(aVerdict());
    for (let length = 0; length < whole.length; length++) {
      expect(() => assertWithinBounds(VERDICT, whole.subarray(0, length))).toThrow();
    }
  });

  it.each([
    ['bytes of 2^40', type('bytes'), [long(HUGE)]],
    ['a string of -5', type('string'), [long(-5n)]],
    ['an array of 2^40 longs', type({ type: 'array', items: 'long' }), [long(HUGE)]],
    ['an array of 2^40 nothings', type({ type: 'array', items: 'null' }), [long(HUGE), long(0n)]],
    ['a map of 2^40', type({ type: 'map', values: 'string' }), [long(HUGE)]],
    ['a map key of 2^40', type({ type: 'map', values: 'null' }), [long(1n), long(HUGE)]],
    ['a block of -2^40', type({ type: 'array', items: 'int' }), [long(-HUGE), long(1n)]],
    [
      'a block whose size goes backwards, which a skipping reader would follow for ever',
      type({ type: 'array', items: 'int' }),
      [long(-1n), long(-3n), long(0n), long(0n)],
    ],
    ['a number without end', type('long'), [Buffer.alloc(1_000, 0xff)]],
    ['a branch that is not there', type(['null', 'int']), [long(2n)]],
    ['a negative branch', type(['null', 'int']), [long(-1n)]],
    ['more than it needs', type('int'), [long(1n), long(1n)]],
  ])('refuses %s at once', (_, schema, parts) => {
    const started = performance.now();
    expect(() => assertWithinBounds(schema, Buffer.concat(parts))).toThrow();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('refuses nesting that would exhaust the stack', () => {
    const list = type({
      type: 'record',
      name: 'List',
      fields: [{ name: 'next', type: ['null', 'List'] }],
    });
    expect(() => assertWithinBounds(list, Buffer.alloc(100_000, 2))).toThrow('nested deeper');
    expect(() => assertWithinBounds(list, Buffer.from([2, 2, 2, 0]))).not.toThrow();
  });

  it('takes arrays in several blocks, with and without their size', () => {
    const schema = type({ type: 'array', items: 'int' });
    const blocks = [long(1n), long(7n), long(-2n), long(2n), long(8n), long(9n), long(0n)];
    const body = Buffer.concat(blocks);
    expect(() => assertWithinBounds(schema, body)).not.toThrow();
    expect(schema.fromBuffer(body)).toEqual([7, 8, 9]);
  });

  it('lets nothing through that avsc would find truncated', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const body = Buffer.from(bytes);
        try {
          assertWithinBounds(IMAGE_EVENT, body);
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
