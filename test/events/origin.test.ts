import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ATTEMPTS_HEADER,
  ORIGIN_HEADER,
  attemptsBefore,
  originOf,
  redrivenHeaders,
} from '../../src/events/origin.ts';
import type { Header } from '../../src/events/types.generated.ts';
import { aRecord } from '../support/builders.ts';

const header = (name: string, value: string | null): Header => ({
  name,
  value: value === null ? null : Buffer.from(value),
});
const recordWith = (headers: Header[]) =>
  aRecord({ topic: 'images', partition: 3, offset: 42, headers });
const OWN = { topic: 'images', partition: 3, offset: 42 };

const positions = fc.record({
  topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/),
  partition: fc.nat(2 ** 31 - 1),
  offset: fc.maxSafeNat(),
});
const headers = fc.array(
  fc.record({
    name: fc.oneof(fc.string(), fc.constantFrom(ORIGIN_HEADER, ATTEMPTS_HEADER)),
    value: fc.option(fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes))),
  }),
  { maxLength: 8 },
);

describe('originOf', () => {
  it('is the record’s own position where no header says otherwise', () => {
    expect(originOf(recordWith([header('h', '1')]))).toEqual(OWN);
  });

  it('is what the header says', () => {
    const record = recordWith([header(ORIGIN_HEADER, 'uploads.v1/0/9007199254740991')]);
    const origin = { topic: 'uploads.v1', partition: 0, offset: Number.MAX_SAFE_INTEGER };
    expect(originOf(record)).toEqual(origin);
  });

  it.each([
    null,
    '',
    'images',
    'images/3',
    'images/3/',
    '/3/42',
    'images/3/42/1',
    'images/-1/42',
    'images/03/42',
    'images/3/4.2',
    'images/3/0x2a',
    'images/3/42\n',
    ' images/3/42',
    'bücher/3/42',
    'images/2147483648/42',
    'images/3/9007199254740992',
    `${'x'.repeat(250)}/3/42`,
  ])('ignores the malformed %j', (value) => {
    expect(originOf(recordWith([header(ORIGIN_HEADER, value)]))).toEqual(OWN);
  });

  it('ignores a header that is there twice: nobody knows which one is true', () => {
    const twice = [header(ORIGIN_HEADER, 'a/0/1'), header(ORIGIN_HEADER, 'a/0/2')];
    expect(originOf(recordWith(twice))).toEqual(OWN);
  });

  it('reads back what was written, whatever was there before', () => {
    fc.assert(
      fc.property(headers, positions, fc.integer({ min: 1, max: 2 ** 31 - 2 }), (before, at, n) => {
        const written = redrivenHeaders(before, at, n);
        expect(originOf(recordWith(written))).toEqual(at);
        expect(attemptsBefore(written)).toBe(n);
      }),
    );
  });

  it('never fails and never gives what is no position', () => {
    fc.assert(
      fc.property(headers, (any) => {
        const { topic, partition, offset } = originOf(recordWith(any));
        expect(topic).not.toBe('');
        expect(partition >= 0 && Number.isSafeInteger(offset)).toBe(true);
        expect(attemptsBefore(any)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('attemptsBefore', () => {
  it.each([null, '', '0', '-1', '1.5', '1e3', '01', 'two', '2147483647', '99999999999'])(
    'ignores the malformed %j',
    (value) => {
      expect(attemptsBefore([header(ATTEMPTS_HEADER, value)])).toBe(0);
    },
  );
});

describe('redrivenHeaders', () => {
  it('keeps all others in their order, repeated and empty ones too', () => {
    const before = [header('b', '1'), header(ORIGIN_HEADER, 'x/0/0'), header('a', null)];
    const repeated = [...before, header('b', '')];
    const names = redrivenHeaders(repeated, OWN, 1).map(({ name, value }) => [
      name,
      value?.toString() ?? null,
    ]);
    expect(names).toEqual([
      ['b', '1'],
      ['a', null],
      ['b', ''],
      [ORIGIN_HEADER, 'images/3/42'],
      [ATTEMPTS_HEADER, '1'],
    ]);
  });
});
