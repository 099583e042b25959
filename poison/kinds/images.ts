/** Events that are sound, and whose image is not, or cannot be had. */
import type { Dice } from '../../fuzz/dice.ts';
import { caseOf } from '../../fuzz/cases.ts';
import { ODD_ANSWERS, SOUND_ANSWERS } from '../hostile-answers.ts';
import { event, type Expected, type Kind, type Scene } from '../kind.ts';

/** A mutant that is larger is cut: base64 of it has to fit a record. */
const MAX_IMAGE = 4_000_000;
/** As many cases as the fuzzer draws from one seed before they repeat. */
const CASES = 1_000_000;

const referring = (
  name: string,
  expected: Expected,
  uri: (dice: Dice, scene: Scene) => string,
  weight = 2,
): Kind => ({
  name: `uri: ${name}`,
  expected,
  weight,
  draw: (dice, scene) => ({ value: event(dice, scene, { image: { uri: uri(dice, scene) } }) }),
});

const FILES = [
  ...['socket', 'fifo', 'folder', 'link-out', 'link-loop', 'empty', 'large', 'missing', 'text'],
  ...[
    'good.png/',
    'good.png/x',
    'a%00b',
    '%00',
    '..',
    '../../etc/passwd',
    '..%2f..%2fetc%2fpasswd',
  ],
  ...['%2e%2e/%2e%2e/etc/passwd', 'link-folder/passwd', 'good.png%0a', 'GOOD.PNG', '%ff%fe'],
  ...[
    'good.png?x',
    'good.png#x',
    '%',
    '%zz',
    'x'.repeat(4_000),
    'a/'.repeat(2_000),
    ' ',
    '\\..\\x',
  ],
];
const OTHER_FILES = [
  ...['file:///dev/zero', 'file:///dev/stdin', 'file:///proc/self/mem', 'file:///proc/kmsg'],
  ...[
    'file://host/share/a.png',
    'file:good.png',
    'file:',
    'file://',
    'file:////',
    'FILE:///etc/passwd',
  ],
  ...[
    'file://127.0.0.1/etc/passwd',
    'file:///C:/a.png',
    'file://localhost',
    'file:///%2fetc%2fpasswd',
  ],
];
const OTHERS = [
  ...[
    '',
    ' ',
    'good.png',
    '//host/a',
    's3://bucket/key',
    's3://',
    'ftp://127.0.0.1/a',
    'gopher://a',
  ],
  ...[
    'javascript:alert(1)',
    'blob:null/1',
    'http:',
    'http://',
    'http://[',
    'http://a b',
    '\0',
    '\ud800',
  ],
  ...[
    'http://user:secret@127.0.0.1/',
    'http://127.0.0.1:99999/',
    'http://127.0.0.1:1/',
    'http://0/',
  ],
  ...[
    'http://169.254.169.254/latest',
    'http://[::1]/',
    'http://elsewhere.invalid/',
    'https://127.0.0.1/',
  ],
  ...['constructor:x', '__proto__:x', 'data', 'HTTP://127.0.0.1:1/', 'x'.repeat(8_000)],
];
const DATA = [
  ...['data:', 'data:,', 'data:;base64,', 'data:image/png;base64,%%%', 'data:image/png;base64,A'],
  ...[
    'data:,%',
    'data:,%zz',
    'data:image/png;base64,AAAA====',
    'data:text/html,<html>',
    'data:;;;,,',
  ],
];

const atPort =
  (port: 'silent' | 'away' | 'closed') =>
  (_: Dice, scene: Scene): string =>
    `http://127.0.0.1:${scene.ports[port]}/${scene.next()}.png`;

const REFERENCES: Kind[] = [
  referring(
    'odd files',
    'not-inspected',
    (dice, { root }) => `file://${root}/${dice.pick(FILES)}`,
    10,
  ),
  referring('files elsewhere', 'not-inspected', (dice) => dice.pick(OTHER_FILES), 4),
  referring('of other kinds', 'refused', (dice) => dice.pick(OTHERS), 8),
  referring('odd data', 'not-inspected', (dice) => dice.pick(DATA), 4),
  referring('text as data', 'not-inspected', () => `data:,${'%ff'.repeat(100_000)}`, 1),
  referring(
    'a host that answers oddly',
    'any',
    (dice, { ports }) => {
      return `http://127.0.0.1:${ports.odd}/${dice.pick(ODD_ANSWERS)}`;
    },
    12,
  ),
  // Its odd answers take its connections, too: one with an image may have to wait longer than it may.
  referring('a host that answers oddly, with an image', 'any', (dice, { ports }) => {
    return `http://127.0.0.1:${ports.odd}/${dice.pick(SOUND_ANSWERS)}`;
  }),
  referring('a host that answers 503', 'refused', atPort('away')),
  referring('a host that never answers', 'refused', atPort('silent')),
  referring('a host that is not there', 'refused', atPort('closed')),
];

const BYTES: Kind[] = [
  {
    name: 'image: broken, or a bomb',
    expected: 'any',
    weight: 14,
    draw: (dice, scene) => {
      const { bytes } = caseOf(scene, dice.int(0, CASES));
      return {
        value: event(dice, scene, {
          image: { bytes: bytes.subarray(0, MAX_IMAGE).toString('base64') },
        }),
      };
    },
  },
  {
    name: 'image: cut short',
    expected: 'judged',
    weight: 3,
    draw: (dice, scene) => {
      const whole = dice.pick(scene.pictures);
      const bytes = whole.subarray(0, Math.floor(whole.length * 0.6)).toString('base64');
      return { value: event(dice, scene, { image: { bytes } }) };
    },
  },
  {
    name: 'image: of another hash',
    expected: 'not-inspected',
    weight: 2,
    draw: (dice, scene) => {
      const bytes = dice.pick(scene.pictures).toString('base64');
      return { value: event(dice, scene, { image: { bytes, sha256: '0'.repeat(64) } }) };
    },
  },
];

export const IMAGES: Kind[] = [...REFERENCES, ...BYTES];
