import { z } from 'zod';

const text = z.string().trim().min(1);
const template = text.refine((value) => value === '' || value.split('{}').length === 2, {
  error: 'expected {} exactly once, where the prompt goes',
});
const band = z.enum(['allow', 'review', 'block']);
const probability = z.number().min(0).max(1);
const frames = z.int().min(1).max(1_000);

/** The rules about several entries at once read whatever is there, so that they run beside other faults. */
const ALWAYS = { when: (): boolean => true };

const texts = z.array(text).superRefine(eachOnce, ALWAYS);
const templates = z.array(template).min(1).superRefine(eachOnce, ALWAYS);

const thresholds = z
  .strictObject({ review: probability, block: probability.nullable().default(null) })
  .refine(({ review, block }) => block === null || block > review, {
    error: 'must be more than the review threshold',
    path: ['block'],
  });

const policy = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected kebab-case, for example motor-vehicles'),
  title: text.optional(),
  mode: z.enum(['enforce', 'shadow', 'off']).default('enforce'),
  prompts: z.array(text).min(1).superRefine(eachOnce, ALWAYS),
  contrast: texts.default([]),
  thresholds,
  onError: band.default('review'),
  cosineFloor: z.number().min(-1).max(1).nullable().default(null),
  templates: templates.optional(),
  neutral: texts.optional(),
  corroboration: frames.optional(),
});

/** A bundle as written. Every key is documented in docs/policies.md. */
export const bundleSchema = z
  .strictObject({
    version: z.literal(1),
    defaults: z
      .strictObject({
        templates: templates.optional(),
        neutral: texts.optional(),
        corroboration: frames.optional(),
      })
      .default({}),
    policies: z.array(policy).min(1),
  })
  .superRefine(idsOnce, ALWAYS)
  .superRefine(nothingAgainstItself, ALWAYS)
  .superRefine(somethingOn, ALWAYS);

export type WrittenBundle = z.infer<typeof bundleSchema>;

interface Faults {
  addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[] }): void;
}

/** The same prompt twice would weigh twice in a softmax. */
function eachOnce(value: unknown, faults: Faults): void {
  const seen = new Map<string, number>();
  for (const [index, entry] of list(value).entries()) {
    if (typeof entry !== 'string') continue;
    const first = seen.get(sameText(entry));
    if (first === undefined) seen.set(sameText(entry), index);
    else
      faults.addIssue({
        code: 'custom',
        message: `${JSON.stringify(entry)} is listed twice`,
        path: [index],
      });
  }
}

function idsOnce(value: unknown, faults: Faults): void {
  const seen = new Map<unknown, number>();
  for (const [index, entry] of list(field(value, 'policies')).entries()) {
    const id = field(entry, 'id');
    if (typeof id !== 'string') continue;
    const first = seen.get(id);
    if (first === undefined) seen.set(id, index);
    else
      faults.addIssue({
        code: 'custom',
        message: `${JSON.stringify(id)} is the id of policies[${first}] too`,
        path: ['policies', index, 'id'],
      });
  }
}

/** A prompt that is also among what it is held against can never win. */
function nothingAgainstItself(value: unknown, faults: Faults): void {
  const defaultNeutral = field(field(value, 'defaults'), 'neutral');
  for (const [index, entry] of list(field(value, 'policies')).entries()) {
    const prompts = new Set(strings(field(entry, 'prompts')));
    for (const key of ['contrast', 'neutral']) {
      for (const [place, against] of list(field(entry, key)).entries()) {
        if (typeof against !== 'string' || !prompts.has(sameText(against))) continue;
        faults.addIssue({
          code: 'custom',
          message: `${JSON.stringify(against)} is a prompt of this policy too`,
          path: ['policies', index, key, place],
        });
      }
    }
    if (field(entry, 'neutral') !== undefined) continue;
    const neutral = new Set(strings(defaultNeutral));
    for (const [place, prompt] of list(field(entry, 'prompts')).entries()) {
      if (typeof prompt !== 'string' || !neutral.has(sameText(prompt))) continue;
      faults.addIssue({
        code: 'custom',
        message: `${JSON.stringify(prompt)} is among defaults.neutral too`,
        path: ['policies', index, 'prompts', place],
      });
    }
  }
}

function somethingOn(value: unknown, faults: Faults): void {
  const policies = list(field(value, 'policies'));
  if (policies.length === 0 || policies.some((entry) => field(entry, 'mode') !== 'off')) return;
  faults.addIssue({
    code: 'custom',
    message: 'every policy is off; set at least one to shadow or enforce',
    path: ['policies'],
  });
}

/** Text encoders fold case and runs of spaces, so these tell no two texts apart. */
function sameText(value: string): string {
  return value.trim().toLowerCase().replace(/\s+/g, ' ');
}

function strings(value: unknown): string[] {
  return list(value)
    .filter((entry) => typeof entry === 'string')
    .map(sameText);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
