/** Values that are JSON, or look like it. */
import type { Dice } from '../../fuzz/dice.ts';
import { event, eventWith, type Expected, type Kind, type Scene } from '../kind.ts';

const MB = 1_000_000;

const kind = (
  name: string,
  expected: Expected,
  value: (dice: Dice, scene: Scene) => Buffer | null,
  more: Partial<Kind> = {},
): Kind => ({
  name: `value: ${name}`,
  expected,
  weight: 2,
  draw: (dice, scene) => ({ value: value(dice, scene) }),
  ...more,
});

const FEW: Partial<Kind> = { weight: 1, most: 3, isAlone: true };
const LARGE: Partial<Kind> = { weight: 1, most: 60, isAlone: true };

const list = (count: number, item: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => item(index)).join(',');
const labels = (inner: string): string => `"labels":{${inner}}`;

/** Fields of a wrong type, or of none that is known. */
const WRONG: ReadonlyArray<Record<string, unknown>> = [
  ...[null, 1, true, [], {}, ['a']].map((eventId) => ({ eventId })),
  ...[null, '', 'yesterday', [], {}, 1.5, true, 1e300].map((occurredAt) => ({ occurredAt })),
  ...[null, 1, 'a', [], { bytes: 1 }, { bytes: '%%%' }, { uri: {} }, {}].map((image) => ({
    image,
  })),
  ...[
    { bytes: 'AA==', uri: 'file:///a' },
    { uri: 'file:///a', sha256: 'zz' },
  ].map((image) => ({ image })),
  ...[1, [], {}].map((source) => ({ source })),
  ...[1, 'a', [], { a: 1 }, { a: null }, { a: {} }].map((given) => ({ labels: given })),
];
const IMPOSSIBLE = [
  ...['2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01'],
  ...[
    '+275760-09-14T00:00:00Z',
    '0000-00-00T00:00:00Z',
    `2026-01-01T00:00:00.${'9'.repeat(9_999)}Z`,
  ],
];

export const JSON_VALUES: Kind[] = [
  kind('null', 'dead-letter', () => null),
  kind('empty', 'dead-letter', () => Buffer.alloc(0)),
  kind(
    'noise',
    'dead-letter',
    (dice) => Buffer.concat([Buffer.from([0x07]), dice.bytes(dice.int(0, 300))]),
    {
      weight: 6,
    },
  ),
  kind(
    'cut short',
    'dead-letter',
    (dice, scene) => {
      const whole = event(dice, scene);
      return whole.subarray(0, dice.int(1, whole.length - 1));
    },
    { weight: 4 },
  ),
  kind('25 MB of [', 'dead-letter', () => Buffer.alloc(25 * MB, '['), FEW),
  kind(
    'an event and 25 MB of [',
    'dead-letter',
    (dice, scene) => {
      const head = event(dice, scene).toString().slice(0, -1);
      return Buffer.concat([Buffer.from(`${head},"more":`), Buffer.alloc(25 * MB, '[')]);
    },
    FEW,
  ),
  kind(
    'a million labels',
    'dead-letter',
    (dice, scene) => eventWith(dice, scene, labels(list(MB, (index) => `"${index}":""`))),
    FEW,
  ),
  kind(
    'a text of 20 MB',
    'dead-letter',
    (dice, scene) => event(dice, scene, { source: 'x'.repeat(20 * MB) }),
    FEW,
  ),
  kind(
    'an image of 20 MB of zeros',
    'not-inspected',
    (dice, scene) =>
      event(dice, scene, { image: { bytes: Buffer.alloc(15 * MB).toString('base64') } }),
    FEW,
  ),
  kind(
    'labels of control characters',
    'judged',
    (dice, scene) => {
      const control = '\x01'.repeat(5_000);
      const given = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`l${at}`, control]));
      return event(dice, scene, { labels: given });
    },
    LARGE,
  ),
  kind(
    'as many labels as are taken',
    'judged',
    (dice, scene) => {
      const given = Object.fromEntries(
        Array.from({ length: 1_000 }, (_, at) => [`\x02${at}`, '\x03'.repeat(120)]),
      );
      return event(dice, scene, { labels: given });
    },
    LARGE,
  ),
  kind('labels beyond the limit', 'dead-letter', (dice, scene) =>
    event(dice, scene, { labels: { a: '\x01'.repeat(16_385) } }),
  ),
  kind(
    'labels named __proto__',
    'judged',
    (dice, scene) =>
      eventWith(
        dice,
        scene,
        labels('"__proto__":"p","constructor":"c","toString":"t","0":"z","":"e"'),
      ),
    {
      weight: 4,
    },
  ),
  kind('members named __proto__', 'judged', (dice, scene) =>
    eventWith(dice, scene, '"__proto__":{"image":null},"constructor":{"prototype":{"x":1}}'),
  ),
  kind(
    'eventId of 500 kB',
    'dead-letter',
    (dice, scene) => event(dice, scene, { eventId: 'e'.repeat(500_000) }),
    LARGE,
  ),
  kind(
    'eventId of 500 kB of control characters',
    'dead-letter',
    (dice, scene) => event(dice, scene, { eventId: '\x01'.repeat(90_000) }),
    LARGE,
  ),
  kind(
    'lone surrogates',
    'judged',
    (dice, scene) =>
      eventWith(
        dice,
        scene,
        '"source":"\\ud800","tenant":"\\udfff\\ud800","labels":{"\\udc00":"\\ud83d"}',
      ),
    {
      weight: 4,
    },
  ),
  kind('number of 1e400', 'dead-letter', (dice, scene) =>
    eventWith(
      dice,
      scene,
      `"occurredAt":${dice.pick(['1e400', '-1e400', `1${'0'.repeat(50_000)}`])}`,
    ),
  ),
  kind('unknown number of 1e400', 'any', (dice, scene) => eventWith(dice, scene, '"more":1e400')),
  kind(
    'impossible date',
    'dead-letter',
    (dice, scene) => event(dice, scene, { occurredAt: dice.pick(IMPOSSIBLE) }),
    { weight: 3 },
  ),
  kind('wrong types', 'dead-letter', (dice, scene) => event(dice, scene, dice.pick(WRONG)), {
    weight: 8,
  }),
  kind(
    'nested',
    'dead-letter',
    (dice, scene) => {
      const depth = dice.pick([200, 5_000, 100_000]);
      const [open, close] = dice.pick([
        ['[', ']'],
        ['{"a":', '}'],
      ] as const);
      return eventWith(dice, scene, `"more":${open.repeat(depth)}1${close.repeat(depth)}`);
    },
    { weight: 3 },
  ),
  kind('40,000 values', 'dead-letter', (dice, scene) =>
    eventWith(dice, scene, `"more":[${list(40_000, () => '0')}]`),
  ),
  kind(
    'an event changed at random',
    'any',
    (dice, scene) => {
      const copy = Buffer.from(event(dice, scene, { image: { uri: 'file:///nowhere.png' } }));
      for (let times = dice.int(1, 20); times > 0; times -= 1) {
        copy[dice.int(0, copy.length - 1)] = dice.int(0, 255);
      }
      return copy;
    },
    { weight: 10 },
  ),
  kind('UTF-16', 'dead-letter', (dice, scene) =>
    Buffer.from(`\ufeff${event(dice, scene).toString()}`, 'utf16le'),
  ),
];
