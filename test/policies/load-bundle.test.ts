import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { packageFile } from '../../src/package-files.ts';
import { BundleError, loadBundle, parseBundle } from '../../src/policies/load-bundle.ts';

const minimal = `
version: 1
policies:
  - id: firearms
    prompts: [a gun]
    thresholds: { review: 0.6 }
`;

function faultsOf(text: string): string[] {
  try {
    parseBundle(text, 'p.yaml');
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return error.faults.map(
      ({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`,
    );
  }
  return [];
}

/** A bundle of one policy, with these lines in place of or beside the usual ones. */
function policyWith(lines: Record<string, string>): string {
  const policy = { id: 'firearms', prompts: '[a gun]', thresholds: '{ review: 0.6 }', ...lines };
  const written = Object.entries(policy).map(([key, value]) => `${key}: ${value}`);
  return `version: 1\npolicies:\n  - ${written.join('\n    ')}\n`;
}

describe('parseBundle', () => {
  it('resolves every default', () => {
    expect(parseBundle(minimal, 'p.yaml').policies).toEqual([
      {
        id: 'firearms',
        title: 'firearms',
        mode: 'enforce',
        prompts: ['a gun'],
        contrast: [],
        thresholds: { review: 0.6, block: null },
        onError: 'review',
        corroboration: 1,
        cosineFloor: null,
        templates: ['a photo of {}', '{}'],
        neutral: null,
      },
    ]);
  });

  it("prefers a policy's templates and neutral prompts to the bundle's", () => {
    const text = `
version: 1
defaults: { templates: ['a drawing of {}'], neutral: [a landscape] }
policies:
  - { id: a, prompts: [a gun], thresholds: { review: 0.6 } }
  - { id: b, prompts: [a gun], thresholds: { review: 0.6 }, templates: ['{}'], neutral: [] }
`;
    expect(parseBundle(text, 'p.yaml').policies).toMatchObject([
      { templates: ['a drawing of {}'], neutral: ['a landscape'] },
      { templates: ['{}'], neutral: [] },
    ]);
  });

  it('trims prompts', () => {
    const text = policyWith({ prompts: '["  a gun "]' });
    expect(parseBundle(text, 'p.yaml').policies[0]?.prompts).toEqual(['a gun']);
  });

  it('reports the faults of one policy, of another and between them at once', () => {
    const text = `version: 1
polices: []
policies:
  - id: Fire Arms
    prompt: [a gun]
    thresholds: { review: 0.9, block: 0.6 }
  - id: knives
    prompts: [a knife, A  Knife]
    contrast: [a spoon, a knife]
    thresholds: { review: 2 }
    onError: blok
  - id: knives
    prompts: []
    thresholds: {}
    templates: ['a photo']
`;
    expect(faultsOf(text)).toEqual([
      '2:1 polices: unknown key; did you mean "policies"?',
      '4:5 policies[0].prompts: missing; expected a list',
      '4:9 policies[0].id: expected kebab-case, for example motor-vehicles',
      '5:5 policies[0].prompt: unknown key; did you mean "prompts"?',
      '6:39 policies[0].thresholds.block: must be more than the review threshold',
      '8:24 policies[1].prompts[1]: "A  Knife" is listed twice',
      '9:25 policies[1].contrast[1]: "a knife" is a prompt of this policy too',
      '10:27 policies[1].thresholds.review: must be at most 1',
      '11:14 policies[1].onError: expected one of "allow", "review", "block", found "blok"; did you mean "block"?',
      '12:9 policies[2].id: "knives" is the id of policies[1] too',
      '13:5 policies[2].prompts: expected at least 1 entry',
      '14:5 policies[2].thresholds.review: missing; expected a number',
      '15:17 policies[2].templates[0]: expected {} exactly once, where the prompt goes',
    ]);
  });

  it.each([
    [
      'another version',
      minimal.replace('version: 1', 'version: 2'),
      'version: expected 1, found 2',
    ],
    ['no policy', 'version: 1\npolicies: []\n', 'policies: expected at least 1 entry'],
    ['a blank prompt', policyWith({ prompts: '[" "]' }), 'prompts[0]: must not be empty'],
    ['a blank template', policyWith({ templates: '[""]' }), 'templates[0]: must not be empty'],
    ['two places for the prompt', policyWith({ templates: '["{} {}"]' }), '{} exactly once'],
    [
      'a block threshold equal to review',
      policyWith({ thresholds: '{ review: 0.6, block: 0.6 }' }),
      'must be more than',
    ],
    [
      'a threshold that is not a number',
      policyWith({ thresholds: '{ review: .nan }' }),
      'expected a number',
    ],
    [
      'a floor no cosine can have',
      policyWith({ cosineFloor: '-1.5' }),
      'cosineFloor: must be at least -1',
    ],
    [
      'a prompt among its neutral ones',
      policyWith({ neutral: '[a gun]' }),
      'is a prompt of this policy too',
    ],
    [
      'a prompt among the default neutral ones',
      `defaults: { neutral: [A Gun] }\n${minimal}`,
      'is among defaults.neutral too',
    ],
    ['every policy off', policyWith({ mode: 'off' }), 'policies: every policy is off'],
    [
      'a key given twice',
      policyWith({ mode: 'off\n    mode: shadow' }),
      'the key mode is given twice',
    ],
  ])('refuses %s', (_, text, fault) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(fault)]);
  });
});

describe('loadBundle', () => {
  it.each(['policies/demo.yaml', 'policies/example-trust-and-safety.yaml'])(
    'accepts %s',
    async (path) => {
      const bundle = await loadBundle(packageFile(path));
      expect(bundle.policies.length).toBeGreaterThan(5);
      expect(bundle.hash).toMatch(/^[0-9a-f]{64}$/);
    },
  );

  it('ships its trust-and-safety example without a policy that is enforced', async () => {
    const bundle = await loadBundle(packageFile('policies/example-trust-and-safety.yaml'));
    expect(new Set(bundle.policies.map(({ mode }) => mode))).toEqual(new Set(['shadow']));
  });

  it('names the file it cannot read', async () => {
    const loading = loadBundle('/nowhere/p.yaml');
    await expect(loading).rejects.toThrow('reading policy bundle /nowhere/p.yaml');
    await expect(loading).rejects.toBeInstanceOf(AppError);
  });

  it('puts every fault, with its place, into the message', () => {
    expect(() => parseBundle('version: 1\npolicies: []\nextra: 1\n', 'p.yaml')).toThrow(
      'the policy bundle has 2 faults:\np.yaml:2:1: policies: expected at least 1 entry\np.yaml:3:1: extra: unknown key',
    );
  });
});
