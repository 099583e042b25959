import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  isRedriveNote,
  parsePosition,
  positionText,
  redriveNote,
  redrivenPosition,
  redrivenTo,
  REDRIVEN_HEADER,
} from '../../src/events/redrive-note.ts';

const positions = fc.record({ partition: fc.nat(), offset: fc.maxSafeNat() });

describe('a note', () => {
  it('says which dead letter was redriven', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(redrivenPosition(redriveNote(position))).toEqual(position);
        expect(parsePosition(positionText(position))).toEqual(position);
      }),
    );
  });

  it('says where to, when that is known', () => {
    const to = { topic: 'images', partition: 2, offset: 9 };
    expect(redrivenTo(redriveNote({ partition: 0, offset: 1 }, to))).toEqual(to);
    expect(redrivenTo(redriveNote({ partition: 0, offset: 1 }))).toBeUndefined();
  });

  it('has no value: a record with one is a dead letter, whatever its headers say', () => {
    const headers = redriveNote({ partition: 0, offset: 1 });
    expect(isRedriveNote({ value: null, headers })).toBe(true);
    expect(isRedriveNote({ value: Buffer.alloc(0), headers })).toBe(false);
    expect(isRedriveNote({ value: null, headers: [] })).toBe(false);
  });

  it.each([null, '', '1', '1/', '/1', '1/2/3', '01/2', '1/-2', '1/9007199254740992'])(
    'that says %j is about nothing',
    (value) => {
      const header = { name: REDRIVEN_HEADER, value: value === null ? null : Buffer.from(value) };
      expect(redrivenPosition([header])).toBeUndefined();
    },
  );
});
