import { describe, expect, it } from '@jest/globals';
import { matches, parseCodes, parsePositions, parseTime } from '../../src/dead-letters/filter.ts';

const NOW = Date.parse('2026-11-23T16:00:00Z');
const letter = { partition: 0, offset: 7, code: 'event_invalid', failedAt: NOW };

describe('parseTime', () => {
  it.each([
    ['2026-11-23', '2026-11-23T00:00:00Z'],
    ['2026-11-23T16:00Z', '2026-11-23T16:00:00Z'],
    ['2026-11-23T16:00:30.5+01:00', '2026-11-23T15:00:30.5Z'],
    ['30s', '2026-11-23T15:59:30Z'],
    ['90m', '2026-11-23T14:30:00Z'],
    ['2h', '2026-11-23T14:00:00Z'],
    ['3d', '2026-11-20T16:00:00Z'],
    ['1w', '2026-11-16T16:00:00Z'],
  ])('takes %s', (text, time) => {
    expect(parseTime('--since', text, NOW)).toBe(Date.parse(time));
  });

  it.each(['', 'yesterday', '2026-11-23T16:00', '2026-13-01', '3', '3 d', '-3d', '3y'])(
    'refuses %j and says what is possible',
    (text) => {
      expect(() => parseTime('--since', text, NOW)).toThrow(
        expect.objectContaining({ code: 'usage', message: expect.stringMatching(/ISO 8601.*age/) }),
      );
    },
  );
});

describe('parseCodes', () => {
  it('refuses what no dead letter has, with what is meant and what there is', () => {
    expect(() => parseCodes(['event_empty', 'event_invlaid'])).toThrow(
      /event_invlaid: .*did you mean event_invalid\?.*event_undecodable/,
    );
    expect(() => parseCodes(['image_corrupt'])).toThrow(/There are event_empty, /);
  });
});

describe('parsePositions', () => {
  it.each(['7', 'a/7', '0/7/1', '0/-1', '0/07'])('refuses %s', (text) => {
    expect(() => parsePositions([text])).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('0/42') }),
    );
  });
});

describe('matches', () => {
  it.each([
    [{}, true],
    [{ codes: new Set(['event_invalid', 'event_empty']) }, true],
    [{ codes: new Set(['event_empty']) }, false],
    [{ sinceMs: NOW }, true],
    [{ sinceMs: NOW + 1 }, false],
    [{ untilMs: NOW }, false],
    [{ untilMs: NOW + 1, codes: new Set(['event_invalid']) }, true],
    [{ positions: parsePositions(['0/7', '1/7']) }, true],
    [{ positions: parsePositions(['7/0']) }, false],
  ])('%j: %s', (filter, expected) => {
    expect(matches(filter, letter)).toBe(expected);
  });

  it('takes a letter that cannot be decoded only where no code is asked for', () => {
    const unknown = { ...letter, code: undefined };
    expect(matches({ sinceMs: NOW }, unknown)).toBe(true);
    expect(matches({ codes: new Set(['event_invalid']) }, unknown)).toBe(false);
  });
});
