import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ATTEMPTS_HEADER,
  ORIGIN_HEADER,
  ORIGIN_MAC_HEADER,
  attemptsBefore,
  originClaim,
  originOf,
  redrivenHeaders,
} from '../../src/events/origin.ts';
import type { Header, InputPosition } from '../../src/events/types.generated.ts';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import { aRecord } from '../support/builders.ts';

const header = (name: string, value: string | null): Header => ({
  name,
  value: value === null ? null : Buffer.from(value),
});
const KEY = 'a redrive key of the tests, long enough';
const key = Buffer.from('key');
const value = Buffer.from('value');
const recordWith = (headers: Header[], overrides: Partial<KafkaRecord> = {}) =>
  aRecord({ topic: 'images', partition: 3, offset: 42, key, value, headers, ...overrides });
const redrivenFrom = (origin: InputPosition, attempts = 1, before: Header[] = []) =>
  redrivenHeaders(before, { topic: 'images', key, value, origin, attempts }, KEY);
const OWN = { topic: 'images', partition: 3, offset: 42 };

const positions = fc.record({
  topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/),
  partition: fc.nat(2 ** 31 - 1),
  offset: fc.maxSafeNat(),
});
const headers = fc.array(
  fc.record({
    name: fc.oneof(fc.string(), fc.constantFrom(ORIGIN_HEADER, ATTEMPTS_HEADER, ORIGIN_MAC_HEADER)),
    value: fc.option(fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes))),
  }),
  { maxLength: 8 },
);

describe('originOf', () => {
  it('is the record’s own position where no header says otherwise', () => {
    expect(originOf(recordWith([header('h', '1')]))).toEqual(OWN);
  });

  it('is what the headers say when the key proves them', () => {
    const origin = { topic: 'uploads.v1', partition: 0, offset: Number.MAX_SAFE_INTEGER };
    expect(originOf(recordWith(redrivenFrom(origin)), KEY)).toEqual(origin);
  });

  const origin = { topic: 'images', partition: 0, offset: 7 };
  const proven = redrivenFrom(origin);
  const without = (name: string) => proven.filter((each) => each.name !== name);
  it.each<[string, Header[], Partial<KafkaRecord>]>([
    ['no proof', [header(ORIGIN_HEADER, 'images/0/7')], {}],
    ['a proof that is none', [...without(ORIGIN_MAC_HEADER), header(ORIGIN_MAC_HEADER, '0')], {}],
    [
      'the proof of another key',
      redrivenHeaders([], { topic: 'images', key, value, origin, attempts: 1 }, 'x'),
      {},
    ],
    [
      'the proof of another origin',
      [...without(ORIGIN_HEADER), header(ORIGIN_HEADER, 'images/0/8')],
      {},
    ],
    [
      'the proof of other attempts',
      [...without(ATTEMPTS_HEADER), header(ATTEMPTS_HEADER, '2')],
      {},
    ],
    ['the proof of another value', proven, { value: Buffer.from('another') }],
    ['the proof of another key of the record', proven, { key: null }],
    ['the proof of an empty value', proven, { value: Buffer.alloc(0) }],
    ['the proof of another topic', proven, { topic: 'uploads' }],
    ['two proofs', [...proven, ...proven.filter(({ name }) => name === ORIGIN_MAC_HEADER)], {}],
  ])('is the record’s own position where there is %s', (_, headers, overrides) => {
    const record = recordWith(headers, overrides);
    const { topic, partition, offset } = record;
    expect(originOf(record, KEY)).toEqual({ topic, partition, offset });
  });

  it('is the record’s own position for a service without a key', () => {
    expect(originOf(recordWith(proven))).toEqual(OWN);
    expect(originClaim(recordWith(proven))).toEqual({ origin, attempts: 1, isProven: false });
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
  ])('ignores the malformed %j', (text) => {
    expect(originClaim(recordWith([header(ORIGIN_HEADER, text)]))).toBeUndefined();
  });

  it('ignores a header that is there twice: nothing says which one is true', () => {
    const twice = [header(ORIGIN_HEADER, 'a/0/1'), header(ORIGIN_HEADER, 'a/0/2')];
    expect(originClaim(recordWith(twice))).toBeUndefined();
  });

  it('reads back what was written, whatever was there before', () => {
    fc.assert(
      fc.property(headers, positions, fc.integer({ min: 1, max: 2 ** 31 - 2 }), (before, at, n) => {
        const written = redrivenFrom(at, n, before);
        expect(originOf(recordWith(written), KEY)).toEqual(at);
        expect(attemptsBefore(written)).toBe(n);
      }),
    );
  });

  it('never fails, and believes nothing that a publisher without the key can write', () => {
    fc.assert(
      fc.property(headers, (any) => {
        expect(originOf(recordWith(any), KEY)).toEqual(OWN);
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
    const names = redrivenHeaders(repeated, {
      topic: 'images',
      key,
      value,
      origin: OWN,
      attempts: 1,
    }).map(({ name, value }) => [name, value?.toString() ?? null]);
    expect(names).toEqual([
      ['b', '1'],
      ['a', null],
      ['b', ''],
      [ORIGIN_HEADER, 'images/3/42'],
      [ATTEMPTS_HEADER, '1'],
    ]);
  });
});
