import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseBundle } from '../../src/policies/load-bundle.ts';

type Written = Record<string, unknown>;

const word = fc.stringMatching(/^[a-z]{3,8}$/);
const texts = (prefix: string): fc.Arbitrary<string[]> =>
  fc
    .uniqueArray(word, { minLength: 1, maxLength: 3 })
    .map((words) => words.map((each) => `${prefix} ${each}`));

const policy = fc.record({
  title: word,
  mode: fc.constantFrom('enforce', 'shadow'),
  prompts: texts('a'),
  contrast: texts('the'),
  thresholds: fc.record({
    review: fc.double({ min: 0, max: 0.5, noNaN: true }),
    block: fc.oneof(fc.constant(null), fc.double({ min: 0.6, max: 1, noNaN: true })),
  }),
  onError: fc.constantFrom('allow', 'review', 'block'),
  cosineFloor: fc.oneof(fc.constant(null), fc.double({ min: -1, max: 1, noNaN: true })),
  templates: texts('{}'),
  neutral: texts('some'),
});

const bundle = fc
  .array(policy, { minLength: 1, maxLength: 3 })
  .map((policies): Written & { policies: Written[] } => ({
    version: 1,
    policies: policies.map((each, index) => ({ id: `policy-${index}`, ...each })),
  }));

const hashOf = (written: unknown, options = {}): string =>
  parseBundle(stringify(written, { version: '1.2', ...options }), 'p.yaml').hash;

function shuffledKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffledKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, shuffledKeys(inner)]),
  );
}

describe("a bundle's hash", () => {
  it('does not depend on layout, quotes, comments or the order of keys', () => {
    fc.assert(
      fc.property(bundle, (written) => {
        const hash = hashOf(written);
        const flow = JSON.stringify(shuffledKeys(written));
        expect(hashOf(written, { defaultStringType: 'QUOTE_DOUBLE', indent: 7 })).toBe(hash);
        expect(parseBundle(`# why\n${flow} # because\n`, 'other.yaml').hash).toBe(hash);
      }),
      { numRuns: 50 },
    );
  });

  it('changes with anything that can change a verdict', () => {
    const changes: Record<string, (policy: Written) => unknown> = {
      id: () => 'another',
      title: ({ title }) => `${String(title)}!`,
      mode: ({ mode }) => (mode === 'shadow' ? 'enforce' : 'shadow'),
      prompts: ({ prompts }) => [...(prompts as string[]), 'a new prompt'],
      contrast: ({ contrast }) => (contrast as string[]).slice(1),
      thresholds: ({ thresholds }) => ({ ...(thresholds as object), review: 0.55 }),
      onError: ({ onError }) => (onError === 'block' ? 'allow' : 'block'),
      cosineFloor: ({ cosineFloor }) => (cosineFloor === 0.25 ? 0.26 : 0.25),
      templates: ({ templates }) => [...(templates as string[]), 'a sketch of {}'],
      neutral: () => [],
    };
    const changed = fc.constantFrom(...Object.keys(changes));
    fc.assert(
      fc.property(bundle, changed, fc.nat(), (written, key, at) => {
        const index = at % written.policies.length;
        const policies = written.policies.map((each, place) =>
          place === index ? { ...each, [key]: changes[key]?.(each) } : each,
        );
        expect(hashOf({ ...written, policies })).not.toBe(hashOf(written));
      }),
    );
  });

  it('is the same when defaults are spelled out', () => {
    const short = { id: 'knives', prompts: ['a knife'], thresholds: { review: 0.5 } };
    const long = {
      ...short,
      title: 'knives',
      mode: 'enforce',
      contrast: [],
      thresholds: { review: 0.5, block: null },
      onError: 'review',
      cosineFloor: null,
      templates: ['a photo of {}', '{}'],
    };
    expect(hashOf({ version: 1, policies: [long] })).toBe(
      hashOf({ version: 1, policies: [short] }),
    );
  });

  it('is the same wherever templates and neutral prompts are written', () => {
    const own = { id: 'knives', prompts: ['a knife'], thresholds: { review: 0.5 } };
    const shared = { templates: ['a {}'], neutral: ['a landscape'] };
    expect(hashOf({ version: 1, defaults: shared, policies: [own] })).toBe(
      hashOf({ version: 1, policies: [{ ...own, ...shared }] }),
    );
  });

  it("tells the model's neutral prompts from none", () => {
    const own = { id: 'knives', prompts: ['a knife'], thresholds: { review: 0.5 } };
    expect(hashOf({ version: 1, policies: [own] })).not.toBe(
      hashOf({ version: 1, policies: [{ ...own, neutral: [] }] }),
    );
  });

  it('leaves out policies that are off', () => {
    const on = { id: 'knives', prompts: ['a knife'], thresholds: { review: 0.5 } };
    const off = { ...on, id: 'guns', mode: 'off' };
    expect(hashOf({ version: 1, policies: [off, on] })).toBe(
      hashOf({ version: 1, policies: [on] }),
    );
  });

  it('changes with the order of policies, in which a verdict lists them', () => {
    const a = { id: 'a', prompts: ['a knife'], thresholds: { review: 0.5 } };
    const b = { ...a, id: 'b' };
    expect(hashOf({ version: 1, policies: [a, b] })).not.toBe(
      hashOf({ version: 1, policies: [b, a] }),
    );
  });
});
