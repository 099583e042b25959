import { AppError } from '../errors.ts';
import type { PolicyMode } from '../events/types.generated.ts';
import type { ClipEncoder, EncoderInfo, Scoring, UnitVector } from '../model/clip-encoder.ts';
import type { Policy, PolicyBundle } from './bundle.ts';
import { similaritiesTo, type Similarities } from './similarity.ts';

/** Used where neither the bundle nor the model gives neutral prompts. */
export const NEUTRAL_PROMPTS: readonly string[] = [
  'an everyday photo',
  'a landscape',
  'people talking',
  'a product on a table',
];

/** Texts in one inference of the text encoder. */
const TEXT_BATCH = 32;

/** Prompts and where their embeddings are: `rows[i]` of the matrix belongs to `texts[i]`. */
export interface PromptSet {
  texts: readonly string[];
  rows: Uint32Array;
}

export interface EmbeddedPolicy {
  policy: Policy & { mode: PolicyMode };
  prompts: PromptSet;
  contrast: PromptSet;
  /** Into `EmbeddedBundle.neutrals`: policies with the same neutral prompts share one set. */
  neutral: number;
}

export interface EmbeddedBundle {
  bundle: PolicyBundle;
  dimensions: number;
  /** Unit vectors `[rows, dimensions]`, one for each distinct prompt under its templates. */
  matrix: Float32Array;
  /** Of an embedding to each row of the matrix. */
  similarities: Similarities;
  /** Every policy that is not off, in bundle order. */
  policies: readonly EmbeddedPolicy[];
  neutrals: readonly PromptSet[];
}

/** The part of a `ClipEncoder` that texts need. */
export interface TextEmbedder extends Pick<ClipEncoder, 'encodeTexts'> {
  readonly info: Pick<EncoderInfo, 'scoring' | 'dimensions'>;
}

/**
 * Embeds every prompt of the bundle, each distinct text once. A prompt under several templates becomes one
 * vector: each text's unit vector, their mean, made a unit vector again (Radford et al. 2021, section 3.1.4).
 * Neutral prompts are taken as they are: the policy's, else the model's, else `NEUTRAL_PROMPTS`.
 * Throws AppError `bundle_invalid` for a policy that the model cannot score, and what the encoder throws.
 */
export async function embedBundle(
  bundle: PolicyBundle,
  encoder: TextEmbedder,
): Promise<EmbeddedBundle> {
  const { scoring, dimensions } = encoder.info;
  const plan = new Plan();
  const policies: EmbeddedPolicy[] = [];
  for (const policy of bundle.policies) {
    if (!isOn(policy)) continue;
    const neutral = policy.neutral ?? scoring.neutralPrompts ?? NEUTRAL_PROMPTS;
    requireOpponents(policy, neutral, scoring);
    policies.push({
      policy,
      prompts: plan.place(policy.prompts, policy.templates),
      contrast: plan.place(policy.contrast, policy.templates),
      neutral: plan.placeNeutral(neutral),
    });
  }
  const vectors = await encodeAll(plan.texts(), encoder);
  const matrix = new Float32Array(plan.rows.length * dimensions);
  for (const [row, texts] of plan.rows.entries()) {
    matrix.set(ensemble(texts, vectors, dimensions), row * dimensions);
  }
  const similarities = similaritiesTo(matrix, dimensions);
  return { bundle, dimensions, matrix, similarities, policies, neutrals: plan.neutrals };
}

function isOn(policy: Policy): policy is Policy & { mode: PolicyMode } {
  return policy.mode !== 'off';
}

function requireOpponents(policy: Policy, neutral: readonly string[], scoring: Scoring): void {
  if (scoring.kind !== 'softmax' || policy.contrast.length + neutral.length > 0) return;
  throw new AppError(
    'bundle_invalid',
    `embedding policy ${policy.id}: with nothing to be held against, a softmax model gives every image the ` +
      'score 1; give the policy contrast or neutral prompts',
  );
}

/** Which texts make up which row of the matrix. */
class Plan {
  /** The texts whose mean is the row. */
  readonly rows: string[][] = [];
  readonly neutrals: PromptSet[] = [];
  readonly #rowOf = new Map<string, number>();
  readonly #neutralOf = new Map<string, number>();

  place(prompts: readonly string[], templates: readonly string[]): PromptSet {
    return {
      texts: prompts,
      rows: Uint32Array.from(prompts, (prompt) =>
        this.#row(templates.map((template) => template.replace('{}', () => prompt))),
      ),
    };
  }

  placeNeutral(prompts: readonly string[]): number {
    const key = JSON.stringify(prompts);
    const known = this.#neutralOf.get(key);
    if (known !== undefined) return known;
    this.#neutralOf.set(key, this.neutrals.length);
    return this.neutrals.push(this.place(prompts, ['{}'])) - 1;
  }

  texts(): string[] {
    return [...new Set(this.rows.flat())];
  }

  #row(texts: string[]): number {
    const key = JSON.stringify(texts);
    const known = this.#rowOf.get(key);
    if (known !== undefined) return known;
    this.#rowOf.set(key, this.rows.length);
    return this.rows.push(texts) - 1;
  }
}

async function encodeAll(
  texts: readonly string[],
  encoder: Pick<ClipEncoder, 'encodeTexts'>,
): Promise<Map<string, UnitVector>> {
  const vectors = new Map<string, UnitVector>();
  for (let start = 0; start < texts.length; start += TEXT_BATCH) {
    const batch = texts.slice(start, start + TEXT_BATCH);
    const encoded = await encoder.encodeTexts(batch);
    for (const [index, text] of batch.entries()) {
      const vector = encoded[index];
      if (vector === undefined) throw missing(text);
      vectors.set(text, vector);
    }
  }
  return vectors;
}

function ensemble(
  texts: readonly string[],
  vectors: ReadonlyMap<string, UnitVector>,
  dimensions: number,
): Float64Array {
  const sum = new Float64Array(dimensions);
  for (const text of texts) {
    const vector = vectors.get(text);
    if (vector?.length !== dimensions) throw missing(text);
    const norm = length(vector);
    for (let i = 0; i < dimensions; i++) sum[i] = (sum[i] ?? 0) + (vector[i] ?? 0) / norm;
  }
  const norm = length(sum);
  if (!(norm > 0 && Number.isFinite(norm))) {
    throw new AppError(
      'model_invalid',
      `embedding prompt ${JSON.stringify(texts[0])}: the model gives no direction`,
    );
  }
  return sum.map((value) => value / norm);
}

function length(vector: Iterable<number>): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

function missing(text: string): AppError {
  return new AppError(
    'encoder_failed',
    `embedding prompt ${JSON.stringify(text)}: the encoder gave no vector of its dimensions`,
  );
}
