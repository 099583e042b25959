import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { formatFaults, readYaml } from '../src/yaml-document.ts';

const schema = z.strictObject({
  name: z.string().min(1),
  mode: z.enum(['enforce', 'shadow', 'off']).default('enforce'),
  limits: z.strictObject({ review: z.number().min(0).max(1), block: z.number().optional() }),
  tags: z.array(z.string()).min(1).optional(),
  tls: z.strictObject({ ca: z.string() }).or(z.boolean()).optional(),
  routes: z.partialRecord(z.enum(['allow', 'review', 'block']), z.string()).optional(),
});

const good = 'name: n\nlimits: { review: 0.5 }\n';

function faultsOf(text: string): string[] {
  const result = readYaml(schema, text, 'f.yaml');
  return result.ok ? [] : formatFaults(result.faults, 'f.yaml');
}

describe('readYaml', () => {
  it('gives the validated value with its defaults', () => {
    expect(readYaml(schema, good, 'f.yaml')).toEqual({
      ok: true,
      value: { name: 'n', mode: 'enforce', limits: { review: 0.5 } },
    });
  });

  it('reads YAML 1.2, where off is text', () => {
    expect(readYaml(schema, `${good}mode: off\n`, 'f.yaml')).toMatchObject({
      value: { mode: 'off' },
    });
  });

  it('reports every fault at once, in the order of the file, each with its place', () => {
    const text = [
      'nam: n',
      'mode: enforced',
      'limits:',
      '  review: 1.5',
      '  blok: 2',
      'tags: []',
      'routes: { revue: x }',
    ].join('\r\n');
    expect(faultsOf(text)).toEqual([
      'f.yaml:1:1: nam: unknown key; did you mean "name"?',
      'f.yaml:1:1: name: missing; expected text',
      'f.yaml:2:7: mode: expected one of "enforce", "shadow", "off", found "enforced"; did you mean "enforce"?',
      'f.yaml:4:11: limits.review: must be at most 1',
      'f.yaml:5:3: limits.blok: unknown key; did you mean "block"?',
      'f.yaml:6:1: tags: expected at least 1 entry',
      'f.yaml:7:11: routes.revue: unknown key; did you mean "review"?',
    ]);
  });

  it('places a missing key at the key that should hold it', () => {
    expect(faultsOf('name: n\nlimits:\n  block: 1\n')).toEqual([
      'f.yaml:2:1: limits.review: missing; expected a number',
    ]);
  });

  it('refuses a key given twice and still reports the other faults', () => {
    expect(faultsOf(`${good}name: m\ntags: [1]\n`)).toEqual([
      'f.yaml:3:1: the key name is given twice',
      'f.yaml:4:8: tags[0]: expected text, found 1',
    ]);
  });

  it('explains the alternative that was meant', () => {
    expect(faultsOf(`${good}tls: { cs: x }\n`)).toEqual([
      'f.yaml:3:1: tls.ca: missing; expected text',
      'f.yaml:3:8: tls.cs: unknown key; did you mean "ca"?',
    ]);
    expect(faultsOf(`${good}tls: 3\n`)).toEqual([
      'f.yaml:3:6: tls: expected a mapping or true or false, found 3',
    ]);
  });

  it('points into the anchor when an alias repeats a fault', () => {
    const faults = faultsOf('name: &n ""\nlimits: { review: 0 }\ntags: [*n, 3]\n');
    expect(faults).toEqual([
      'f.yaml:1:10: name: must not be empty',
      'f.yaml:3:12: tags[1]: expected text, found 3',
    ]);
  });

  it('refuses aliases that would grow without bound', () => {
    const layers = Array.from(
      { length: 9 },
      (_, i) => `k${i}: &k${i} [${'*k'.concat(String(i - 1), ', ').repeat(9)}]`,
    );
    const bomb = ['k0: &k0 [x]', ...layers.slice(1)].join('\n');
    expect(faultsOf(bomb)).toEqual(['f.yaml:1:1: too many aliases: write the values out']);
  });

  it.each([
    ['nothing', '', 'f.yaml:1:1: f.yaml is empty'],
    ['only a comment', '# soon\n', 'f.yaml:1:1: f.yaml is empty'],
    ['a list', '- a\n', 'f.yaml:1:1: expected a mapping, found a list'],
    [
      'a second document',
      `${good}---\n${good}`,
      'f.yaml:3:1: a second document begins here; a file holds one',
    ],
    [
      'a tab for indentation',
      'name: n\nlimits:\n\treview: 1\n',
      'f.yaml:3:1: Tabs are not allowed as indentation',
    ],
    ['a tag nobody knows', 'name: !secret n\n', 'f.yaml:1:7: Unresolved tag: !secret'],
    ['a mapping as a key', '? { a: b }\n: 3\n', 'f.yaml:1:3: a key must be text'],
  ])('says what is wrong with %s', (_, text, fault) => {
    expect(faultsOf(text)).toContain(fault);
  });

  it('takes __proto__ for the unknown key it is', () => {
    expect(faultsOf(`${good}__proto__: { mode: off }\n`)).toEqual([
      'f.yaml:3:1: __proto__: unknown key',
    ]);
  });
});
