import { describe, expect, it } from '@jest/globals';
import { renderLetter } from '../../src/cli/render-letter.ts';
import {
  letterJson,
  renderLetterList,
  renderPlan,
  renderRedriven,
} from '../../src/cli/render-letters.ts';
import type { LetterSummary } from '../../src/dead-letters/list.ts';
import type { ShownLetter } from '../../src/dead-letters/show.ts';

const plain = { colour: false };
const letter: LetterSummary = {
  partition: 1,
  offset: 42,
  failedAt: Date.parse('2026-11-23T16:00:00.123Z'),
  redriven: false,
  code: 'event_invalid',
  stage: 'decode',
  message: `decoding an image event: ${'x'.repeat(100)}`,
  attempts: 2,
  origin: { topic: 'images', partition: 3, offset: 7 },
  key: Buffer.from('user-1\u001b[2J'),
  valueBytes: 3,
};
const shown: ShownLetter = {
  ...letter,
  record: { topic: 'images', partition: 0, offset: 90, timestamp: 0 },
  incomplete: null,
  headers: [{ name: 'tenant', value: Buffer.from([0xff]) }],
  value: Buffer.from([0, 65, 255]),
  sha256: 'ab',
};
const counts = { total: 3, byCode: { event_invalid: 2 }, undecodable: 1, redriven: 4 };

describe('renderLetterList', () => {
  it('shows position, time, origin and a printable key, and shortens the message', () => {
    const unknown = { code: null, stage: null, attempts: null, origin: null, key: null };
    const list = { letters: [letter, { ...letter, ...unknown, redriven: true }], counts };
    const text = renderLetterList(list, false, plain);
    expect(text).toMatch(
      /1\/42 +2026-11-23 16:00:00Z +event_invalid +decode +2 +images\/3\/7 +user-1\ufffd\[2J +decoding .*…$/m,
    );
    expect(text).toMatch(/1\/42 redriven +2026-11-23 16:00:00Z +undecodable +– +– +– +– /);
    expect(text).toContain('3 dead letters, the newest 2 listed; 4 redriven already (--all)');
    expect(text).toMatch(/event_invalid +2\n +cannot be decoded 1$/);
  });
});

describe('renderLetter', () => {
  it('shows everything, and bytes that are no text in hex', () => {
    const text = renderLetter(shown, plain);
    expect(text).toMatch(/record +images\/0\/90, published 1970-01-01 00:00:00Z/);
    expect(text).toContain('tenant: 0xff');
    expect(text).toContain('3 bytes, SHA-256 ab');
    expect(text).toMatch(/^00000000 {2}00 41 ff +\|\.A\.\|$/m);
  });

  it('shows JSON indented, and how much of a long value is left out', () => {
    expect(renderLetter({ ...shown, value: Buffer.from('{"a":[1]}') }, plain)).toContain(
      '  "a": [',
    );
    const long = renderLetter({ ...shown, value: Buffer.alloc(1_000) }, plain);
    expect(long).toContain('… 744 bytes more');
  });
});

it('letterJson writes bytes in base64', () => {
  expect(JSON.parse(letterJson(shown))).toMatchObject({
    value: 'AEH/',
    headers: [{ name: 'tenant', value: '/w==' }],
    failedAt: letter.failedAt,
  });
});

it('a plan says what would be done, and the end what was', () => {
  const plan = {
    total: 3,
    byCode: { event_invalid: 3 },
    byTopic: { images: 3 },
    redrivenAlready: 2,
    undecodable: 1,
    incomplete: { count: 0, first: [] },
    elsewhere: 0,
  };
  const withKey = { ...plain, hasKey: true };
  expect(renderPlan(plan, withKey)).toBe(
    'would redrive 3 dead letters: 3 to images\n  event_invalid 3\nskipped: 2 redriven already\nskipped: 1 cannot be decoded',
  );
  expect(renderRedriven(plan, 2, withKey)).toContain('redrove 2 dead letters\n');
  expect(renderRedriven(plan, 2, withKey)).toMatch(/^failed: 1; .* run again$/m);
  expect(renderRedriven(plan, 2, withKey)).not.toContain('MODERATO_REDRIVE_KEY');
  expect(renderRedriven(plan, 2, { ...plain, hasKey: false })).toMatch(
    /^without MODERATO_REDRIVE_KEY: their verdicts have ids of their own/m,
  );
  const at = { partition: 0, offset: 42 };
  const record = { topic: 'images', partition: 3, offset: 7 };
  const incomplete = { count: 2, first: [{ at, record, why: 'no room' }] };
  expect(renderPlan({ ...plan, incomplete, elsewhere: 5 }, withKey)).toMatch(
    /skipped: 5 of topics that are no lanes .*\nskipped: 2 without their whole record\n {2}0\/42: no room; the whole record is images\/3\/7/,
  );
});
