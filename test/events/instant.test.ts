import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isTimeInRange, parseInstant } from '../../src/events/instant.ts';

describe('parseInstant', () => {
  it.each([
    ["Java's Instant", '2025-06-15T15:06:40.123456789Z', 1_750_000_000_123],
    ["Java's Instant on the second", '2025-06-15T15:06:40Z', 1_750_000_000_000],
    ["Java's OffsetDateTime on the minute", '2025-06-15T17:06+02:00', 1_749_999_960_000],
    ["Python's isoformat", '2025-06-15T15:06:40.250999+00:00', 1_750_000_000_250],
    ["Python's str", '2025-06-15 15:06:40.250999+00:00', 1_750_000_000_250],
    ["Go's RFC3339Nano", '2025-06-15T20:36:40.12345+05:30', 1_750_000_000_123],
    ['lower-case letters', '2025-06-15t15:06:40z', 1_750_000_000_000],
    ['an unknown offset', '2025-06-15T15:06:40-00:00', 1_750_000_000_000],
    ['a day that ends elsewhere', '2025-06-15T23:06:40-08:00', 1_750_057_600_000],
    ['the 29th of February of a leap year', '2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['the first year', '0000-01-01T00:00:00Z', -62_167_219_200_000],
    ['the year 50', '0050-01-01T00:00:00Z', -60_589_296_000_000],
    ['before 1970', '1969-12-31T23:59:59.999999Z', -1],
    ['a leap second', '2016-12-31T23:59:60Z', Date.UTC(2016, 11, 31, 23, 59, 59)],
    [
      'a leap second in Tokyo',
      '2017-01-01T08:59:60.5+09:00',
      Date.UTC(2016, 11, 31, 23, 59, 59, 500),
    ],
  ])('takes %s', (_, text, expected) => {
    expect(parseInstant(text)).toBe(expected);
  });

  it.each([
    ['the 30th of February', '2026-02-30T00:00:00Z'],
    ['the 29th of February of another year', '2026-02-29T00:00:00Z'],
    ['the 31st of April', '2026-04-31T00:00:00Z'],
    ['month 13', '2026-13-01T00:00:00Z'],
    ['month 0', '2026-00-01T00:00:00Z'],
    ['day 0', '2026-01-00T00:00:00Z'],
    ['hour 24', '2026-01-01T24:00:00Z'],
    ['minute 60', '2026-01-01T23:60:00Z'],
    ['second 60 in the middle of a day', '2026-01-01T12:00:60Z'],
    ['second 60 in the middle of a month', '2026-01-15T23:59:60Z'],
    ['second 61', '2016-12-31T23:59:61Z'],
    ['an offset of a day', '2026-01-01T00:00:00+24:00'],
    ['an offset of 60 minutes', '2026-01-01T00:00:00+01:60'],
    ['no zone', '2026-01-01T00:00:00'],
    ['a zone of Java', '2026-01-01T00:00:00+01:00[Europe/Berlin]'],
    ['no time', '2026-01-01'],
    ['a point without decimals', '2026-01-01T00:00:00.Z'],
    ['decimals without end', `2026-01-01T00:00:00.${'0'.repeat(1_000_000)}Z`],
    ['a year of five digits', '+10000-01-01T00:00:00Z'],
    ['digits of another script', '２０２６-01-01T00:00:00Z'],
    ['a line feed behind it', '2026-01-01T00:00:00Z\n'],
  ])('refuses %s', (_, text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('reads what toISOString writes', () => {
    const min = new Date('0000-01-01T00:00:00Z');
    const max = new Date('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        expect(parseInstant(date.toISOString())).toBe(date.getTime());
      }),
    );
  });
});

it('an instant is a whole number of milliseconds that every encoding keeps exactly', () => {
  for (const time of [0, -1, 8.64e15, -(2 ** 52)]) expect(isTimeInRange(time)).toBe(true);
  for (const time of [0.5, 8.64e15 + 1, -(2 ** 52) - 1, Number.NaN, Infinity]) {
    expect(isTimeInRange(time)).toBe(false);
  }
});
