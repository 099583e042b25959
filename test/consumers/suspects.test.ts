import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { accuse, formatNote, parseNote, type Suspicion } from '../../src/consumers/suspects.ts';

const suspicions = fc.record({
  suspects: fc.uniqueArray(
    fc.record({ offset: fc.maxSafeNat(), deaths: fc.nat(1_000), alone: fc.nat(1_000) }),
    { selector: ({ offset }) => offset, minLength: 1, maxLength: 200 },
  ),
  fault: fc.string({ unit: 'binary', maxLength: 600 }),
});

const NONE: Suspicion = { suspects: [], fault: '' };

describe('a note of suspects', () => {
  it('is read back as it was written, but for what does not fit', () => {
    fc.assert(
      fc.property(suspicions, ({ suspects, fault }) => {
        const read = parseNote(formatNote({ suspects, fault }));
        expect(read.suspects).toEqual(suspects.slice(0, read.suspects.length));
        expect(read.suspects.length).toBeGreaterThan(0);
        expect(read.fault).toBe(fault.slice(0, 400).toWellFormed());
      }),
      { numRuns: 30 },
    );
  });

  it('holds every suspect of a full window of small offsets that have died once', () => {
    const suspects = Array.from({ length: 200 }, (_, n) => ({ offset: n, deaths: 1, alone: 0 }));
    expect(parseNote(formatNote({ suspects, fault: 'boom' })).suspects).toHaveLength(200);
  });

  it('takes at most 3,500 bytes, whatever the error says', () => {
    fc.assert(
      fc.property(suspicions, (suspicion) => {
        expect(Buffer.byteLength(formatNote(suspicion))).toBeLessThanOrEqual(3_500);
      }),
      { numRuns: 30 },
    );
    const { length } = Buffer.from(
      formatNote({ suspects: [{ offset: 1, deaths: 1, alone: 1 }], fault: '\0'.repeat(9_999) }),
    );
    expect(length).toBeLessThanOrEqual(3_500);
  });

  it('is empty when there is no suspect', () => {
    expect(formatNote({ suspects: [], fault: 'boom' })).toBe('');
  });

  it.each([
    '',
    'committed by another application',
    '{"v":1}',
    'moderato-suspects-1',
    '{"v":"moderato-suspects-1","s":7}',
    '{"v":"moderato-suspects-1","s":[[-5,1,1],["x",1,1],null,[1.5,1,1],[]]}',
    '{"v":"moderato-suspects-2","s":[[1,1,1]],"x":"moderato-suspects-1"}',
  ])('names no suspect where the metadata is %j', (metadata) => {
    expect(parseNote(metadata).suspects).toEqual([]);
  });

  it('names no suspect in any metadata of other software', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (metadata) => {
        expect(parseNote(metadata)).toEqual(NONE);
      }),
    );
  });
});

describe('accusing', () => {
  it('counts deaths, and those while a record was alone', () => {
    const once = accuse(NONE, [4, 7], { isAlone: false, fault: 'first' });
    const twice = accuse(once, [7], { isAlone: true, fault: 'second' });
    expect(twice).toEqual({
      suspects: [
        { offset: 7, deaths: 2, alone: 1 },
        { offset: 4, deaths: 1, alone: 0 },
      ],
      fault: 'second',
    });
    expect(once.suspects).toHaveLength(2); // the one before is untouched
    expect(once.suspects.every(({ deaths }) => deaths === 1)).toBe(true);
  });

  it('drops those with the fewest deaths when a note is too long', () => {
    const many = accuse(NONE, [...Array(1_000).keys()], { isAlone: false, fault: 'x' });
    const note = formatNote(accuse(many, [999], { isAlone: true, fault: 'x' }));
    expect(parseNote(note).suspects[0]).toEqual({ offset: 999, deaths: 2, alone: 1 });
  });
});
