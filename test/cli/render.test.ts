import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { renderSummary, renderVerdictLine, renderVerdictTable } from '../../src/cli/render.ts';
import { aNotInspectedVerdict, aPolicyResult, aVerdict } from '../support/builders.ts';

const plain = { colour: false };
const allow = aPolicyResult({ band: 'allow', score: 0.31 });
const { image } = aVerdict();
const damaged = image && { ...image, damaged: true };

describe('a verdict in one line', () => {
  it.each([
    [
      'a block by its policy, prompt and margin',
      aVerdict(),
      'BLOCK          a.jpg  firearms 0.97 ≥ 0.90  “a rifle” (+0.09 over “a water pistol”)',
    ],
    [
      'a review by the threshold of its own',
      aVerdict({ outcome: 'review', policies: [aPolicyResult({ band: 'review', score: 0.899 })] }),
      'REVIEW         a.jpg  firearms 0.89 ≥ 0.60  “a rifle” (+0.09 over “a water pistol”)',
    ],
    [
      'a block without any contrast',
      aVerdict({ policies: [aPolicyResult({ contrast: null, margin: null })] }),
      'BLOCK          a.jpg  firearms 0.97 ≥ 0.90  “a rifle”',
    ],
    [
      'an allow by what came nearest',
      aVerdict({ outcome: 'allow', policies: [allow] }),
      'ALLOW          a.jpg  nearest: firearms 0.31 < 0.60',
    ],
    [
      'an allow that the cosine floor made',
      aVerdict({
        outcome: 'allow',
        policies: [aPolicyResult({ band: 'allow', score: 0.7, belowFloor: true, cosine: 0.07 })],
      }),
      'ALLOW          a.jpg  firearms 0.70, but “a rifle” is below the cosine floor (0.07 < 0.20)',
    ],
    [
      'an allow that nothing enforced had a say in',
      aVerdict({ outcome: 'allow', policies: [aPolicyResult({ mode: 'shadow' })] }),
      'ALLOW          a.jpg  no enforced policy',
    ],
    [
      'an allow of a damaged file by what is there of it',
      aVerdict({ outcome: 'allow', policies: [allow], image: damaged }),
      'ALLOW          a.jpg  nearest: firearms 0.31 < 0.60, damaged',
    ],
    [
      'an image nobody looked at by the reason',
      aNotInspectedVerdict(),
      'NOT INSPECTED  a.jpg  event_undecodable  decoding a record: neither JSON nor Avro',
    ],
  ])('explains %s', (_, verdict, line) => {
    expect(renderVerdictLine(verdict, 'a.jpg', plain)).toBe(line);
  });

  it('keeps what follows the names in line', () => {
    const lines = ['a.jpg', 'motorcycle.jpg'].map((name) =>
      renderVerdictLine(aVerdict(), name, { ...plain, nameWidth: 14 }),
    );
    expect(new Set(lines.map((line) => line.indexOf('firearms'))).size).toBe(1);
  });

  it('is the same text with colours on a terminal, and none in a file', () => {
    const coloured = renderVerdictLine(aVerdict(), 'a.jpg', { colour: true });
    expect(coloured).not.toBe(renderVerdictLine(aVerdict(), 'a.jpg', plain));
    expect(stripVTControlCharacters(coloured)).toBe(
      renderVerdictLine(aVerdict(), 'a.jpg', { stream: new PassThrough() }),
    );
  });

  it('obeys no escape sequence in a name or a prompt', () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\r\n\u202egpj.a';
    const verdict = aVerdict({ policies: [aPolicyResult({ prompt: evil, contrast: evil })] });
    for (const text of [
      renderVerdictLine(verdict, evil, plain),
      renderVerdictLine(
        aNotInspectedVerdict({
          reason: { code: 'image_corrupt', message: evil, stage: 'preprocess', requested: 'allow' },
        }),
        evil,
        plain,
      ),
      renderVerdictTable([{ name: evil, verdict }], plain).replaceAll('\n', ''),
    ]) {
      expect(text).toContain('owned');
      expect(text).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });
});

describe('the table', () => {
  it('shows every policy of every image, shadow and floor marked', () => {
    const policies = [
      aPolicyResult({ id: 'firearms' }),
      aPolicyResult({
        id: 'knives',
        thresholds: { review: 0.6, block: null },
        ...bandOfAllow(0.3),
      }),
      aPolicyResult({ id: 'pets', mode: 'shadow', belowFloor: true, ...bandOfAllow(0.8) }),
    ];
    const text = renderVerdictTable(
      [
        { name: 'a.jpg', verdict: aVerdict({ policies }) },
        { name: 'broken.jpg', verdict: aNotInspectedVerdict() },
      ],
      plain,
    );
    expect(text.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['BLOCK', 'a.jpg', 'firearms 0.97 ≥ 0.90', '“a rifle” (+0.09 over “a water pistol”)'],
      ['policy', 'score', 'review', 'block', 'nearest prompt', 'cosine', 'margin'],
      ['firearms', '0.97', '0.60', '0.90', '“a rifle”', '0.31', '+0.09 over “a water pistol”'],
      ['knives', '0.30', '0.60', '–', '“a rifle”', '0.31', '+0.09 over “a water pistol”'],
      [
        'pets (shadow, below floor)',
        '0.80',
        '0.60',
        '0.90',
        '“a rifle”',
        '0.31',
        '+0.09 over “a water pistol”',
      ],
      [''],
      [
        'NOT INSPECTED',
        'broken.jpg',
        'event_undecodable',
        'decoding a record: neither JSON nor Avro',
      ],
    ]);
  });
});

const bandOfAllow = (score: number) => ({ band: 'allow' as const, score });

describe('the summary', () => {
  it('counts by outcome, with what made each', () => {
    const verdicts = [
      aVerdict(),
      aVerdict({ policies: [aPolicyResult({ id: 'knives' }), aPolicyResult({ mode: 'shadow' })] }),
      aVerdict({ policies: [aPolicyResult({ id: 'knives' })] }),
      aVerdict({ outcome: 'allow', policies: [allow] }),
      aNotInspectedVerdict(),
    ];
    expect(renderSummary({ verdicts, elapsedMs: 2500 }, plain).split('\n')).toEqual([
      '5 verdicts in 2.5 s, 2 images/s',
      '  block              3  knives 2, firearms 1',
      '  review             0',
      '  not inspected      1  event_undecodable 1',
      '  allow              1',
    ]);
  });

  it('holds when there was nothing to do', () => {
    expect(renderSummary({ verdicts: [], elapsedMs: 0 }, plain)).toMatch(/^0 verdicts in 0.0 s\n/);
  });
});
