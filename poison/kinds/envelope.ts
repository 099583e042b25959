/** Records whose value is sound and whose headers, key or timestamp are not. */
import type { Dice } from '../../fuzz/dice.ts';
import { MAX_HEADER_BYTES, MAX_HEADERS } from '../../src/kafka/fetch/limits.ts';
import { event, type Draft, type Kind } from '../kind.ts';

type Headers = Draft['headers'];

const NAMES: ReadonlyArray<Buffer | string> = [
  ...['constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then'],
  ...['0', '1', '-1', '4294967295', '1e3', '', ' ', '\0', 'ünïcode', '\u{1f4a3}', '\r\nx: y'],
  ...[Buffer.from([0xff, 0xfe]), Buffer.from([0xc3]), Buffer.from('eda080', 'hex')],
];
const TRACES = [
  ...['', '00', '00-0-0-00', 'ff-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff'],
  ...[`00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, '00-'.repeat(10_000), '\0\xff'],
];
const ORIGINS = [
  ...['', '/', 'images/0/0', 'images/0/-1', 'images/99999999999/1', '../../etc/0/0', 'a/b/c'],
  ...[`images/0/${'9'.repeat(400)}`, `${'t'.repeat(300)}/0/0`, 'images/0/9007199254740993'],
];

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const some = (dice: Dice, most: number): Headers =>
  Array.from({ length: dice.int(1, most) }, () => [
    dice.pick(NAMES),
    dice.oneIn(5) ? null : dice.bytes(dice.int(0, 40)),
  ]);
const many = (count: number): Headers =>
  Array.from({ length: count }, (_, index) => [`h${index}`, Buffer.from([1])]);

const withHeaders = (
  name: string,
  weight: number,
  headers: (dice: Dice) => Headers,
  more: Partial<Kind> = {},
): Kind => ({
  name: `headers: ${name}`,
  expected: 'judged',
  weight,
  draw: (dice, scene) => ({ value: event(dice, scene), headers: headers(dice) }),
  ...more,
});

const HEADERS: Kind[] = [
  withHeaders('odd names', 12, (dice) => some(dice, 8)),
  withHeaders('one name many times', 3, (dice) => {
    const name = dice.pick(NAMES);
    return Array.from({ length: dice.int(2, 200) }, () => [name, dice.bytes(3)]);
  }),
  withHeaders('as many as are taken', 2, () => many(MAX_HEADERS)),
  withHeaders('as large as is taken', 2, () => [['large', Buffer.alloc(MAX_HEADER_BYTES - 20, 1)]]),
  withHeaders('8,000', 2, () => many(8_000), { expected: 'dead-letter' }),
  withHeaders('20,000', 1, () => many(20_000), { expected: 'dead-letter', most: 40 }),
  withHeaders('1 MB', 1, () => [['large', Buffer.alloc(1_000_000, 0xff)]], {
    expected: 'dead-letter',
    most: 60,
    isAlone: true,
  }),
  withHeaders('name of 1 MB', 1, () => [['n'.repeat(1_000_000), null]], {
    expected: 'dead-letter',
    most: 40,
    isAlone: true,
  }),
  withHeaders('traceparent', 4, (dice) => [
    ['traceparent', text(dice.pick(TRACES))],
    ['tracestate', dice.oneIn(2) ? null : text('=,='.repeat(dice.int(0, 5_000)))],
    ['baggage', text('a='.repeat(dice.int(0, 1_000)))],
  ]),
  withHeaders('forged origin', 8, (dice) => [
    ['moderato-origin', text(dice.pick(ORIGINS))],
    ['moderato-attempts', text(dice.pick(['', '-1', '0', '1e9', '99999999999', 'NaN']))],
    ['moderato-origin-mac', dice.oneIn(2) ? text('0'.repeat(64)) : dice.bytes(32)],
    ...(dice.oneIn(3) ? ([['moderato-origin', null]] as Headers) : []),
    ...(dice.oneIn(3) ? ([['moderato-redriven', text('0/0')]] as Headers) : []),
  ]),
  withHeaders(
    'ce_*',
    4,
    (dice) => [
      ['ce_specversion', text(dice.pick(['1.0', '', '\xff', '9'.repeat(1_000)]))],
      ['ce_id', dice.oneIn(2) ? null : dice.bytes(20)],
      ['ce_type', text('__proto__')],
      ['ce_time', text('not a time')],
      ['content-type', text(dice.pick(['application/cloudevents+json', 'a/b', '', '\0']))],
    ],
    { expected: 'any' },
  ),
];

const KEYS: Kind[] = [
  ['null', () => null],
  ['empty', () => Buffer.alloc(0)],
  ['invalid UTF-8', (dice: Dice) => Buffer.concat([Buffer.from([0xff, 0xc0]), dice.bytes(9)])],
  ['zeros', () => Buffer.alloc(5_000)],
].map(([name, key]) => ({
  name: `key: ${name as string}`,
  expected: 'judged',
  weight: 2,
  draw: (dice, scene) => ({
    value: event(dice, scene),
    key: (key as (dice: Dice) => Buffer | null)(dice),
  }),
}));

const LARGE_KEYS: Kind[] = [
  {
    name: 'key: 900 kB',
    expected: 'judged',
    weight: 1,
    most: 60,
    isAlone: true,
    draw: (dice, scene) => ({
      value: event(dice, scene),
      key: Buffer.alloc(900_000, dice.int(0, 255)),
    }),
  },
  {
    name: 'key: 900 kB of an undecodable record',
    expected: 'dead-letter',
    weight: 1,
    most: 60,
    isAlone: true,
    draw: (dice) => ({ value: dice.bytes(50), key: Buffer.alloc(900_000, dice.int(0, 255)) }),
  },
];

/** What Kafka takes for a timestamp, and JavaScript not for a date. */
export const TIMES = [
  ...[-1n, 0n, -(2n ** 52n) - 1n, -(2n ** 53n) - 1n, -(2n ** 62n), 2n ** 53n + 1n],
  ...[8_640_000_000_000_001n, 2n ** 62n, 2n ** 63n - 1n],
];

const TIMESTAMPS: Kind[] = [
  {
    name: 'timestamp: odd',
    expected: 'judged',
    weight: 6,
    isAlone: true,
    draw: (dice, scene) => ({ value: event(dice, scene), timestamp: dice.pick(TIMES) }),
  },
  {
    name: 'timestamp: odd, of an undecodable record',
    expected: 'dead-letter',
    weight: 6,
    isAlone: true,
    draw: (dice) => ({ value: dice.bytes(dice.int(0, 60)), timestamp: dice.pick(TIMES) }),
  },
];

export const ENVELOPES: Kind[] = [...HEADERS, ...KEYS, ...LARGE_KEYS, ...TIMESTAMPS];
