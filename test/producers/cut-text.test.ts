import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutText, cutTexts } from '../../src/producers/cut-text.ts';

/** Bytes of a text between the quotes of JSON. */
const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;

describe('a cut text', () => {
  it('is the same where it fits, to the byte', () => {
    expect(cutText('a'.repeat(100), 100)).toBe('a'.repeat(100));
    expect(cutText('a'.repeat(101), 100)).toBe(`${'a'.repeat(97)}…`);
    expect(cutText('\u0001'.repeat(10), 60)).toBe('\u0001'.repeat(10));
    expect(cutText('\u0001'.repeat(11), 60)).toBe(`${'\u0001'.repeat(9)}…`);
  });

  it('never takes more in JSON or UTF-8 than it may, ends in whole characters, and has no lone surrogate', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.array(fc.nat(0xffff), { maxLength: 400 }).map((units) => String.fromCharCode(...units)),
      fc.string({ unit: fc.constantFrom('😀', '"', '\\', '\u0001', '\n', 'ß', 'a') }),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 4, max: 500 }), (whole, max) => {
        const cut = cutText(whole, max);
        expect(jsonBytes(cut)).toBeLessThanOrEqual(max);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(max);
        expect(cut.isWellFormed()).toBe(true);
        if (jsonBytes(whole.toWellFormed()) <= max) expect(cut).toBe(whole.toWellFormed());
        else {
          expect(cut.endsWith('…')).toBe(true);
          expect(whole.toWellFormed().startsWith(cut.slice(0, -1))).toBe(true);
        }
      }),
    );
  });

  it('is cut at any depth of a message, which keeps everything else', () => {
    const bytes = Buffer.from('bytes that are no text');
    const message = { a: 'x'.repeat(50), b: [{ c: 'y'.repeat(50), n: 1, nil: null }], bytes };
    expect(cutTexts(message, 10)).toEqual({
      a: 'xxxxxxx…',
      b: [{ c: 'yyyyyyy…', n: 1, nil: null }],
      bytes,
    });
  });
});
