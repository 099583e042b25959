import { AppError } from '../errors.ts';
import type { Band, PolicyResult, Region, Thresholds } from '../events/types.generated.ts';
import type { EncodedImage, Scoring } from '../model/clip-encoder.ts';
import type { EmbeddedBundle, EmbeddedPolicy, PromptSet } from './prompt-embeddings.ts';

/**
 * One result for each policy that is not off, in bundle order.
 *
 * `softmax` (CLIP): the mass of the policy's prompts in a softmax of logitScale × cosine over its prompts, its
 * contrast and the neutral prompts. `sigmoid` (SigLIP): the smaller of the best prompt's own probability,
 * σ(logitScale × cosine + logitBias), and its probability against the strongest contrast, σ(logitScale × margin).
 *
 * Throws AppError `model_mismatch` for an embedding of other dimensions, `inference_failed` for one that holds
 * a number that is not finite: it would compare as below every threshold.
 */
export function scoreImage(
  image: EncodedImage,
  bundle: EmbeddedBundle,
  scoring: Scoring,
  region: Region,
): PolicyResult[] {
  const cosines = cosinesOf(image, bundle);
  const neutrals = bundle.neutrals.map((set) => standing(set, cosines, scoring.logitScale));
  return bundle.policies.map((embedded) => {
    const neutral = neutrals[embedded.neutral] ?? NOBODY;
    return scorePolicy(embedded, neutral, cosines, scoring, region);
  });
}

/** To each row of the bundle's matrix: what the encoder has computed, else computed now. */
function cosinesOf(image: EncodedImage, bundle: EmbeddedBundle): Float32Array {
  const { embedding } = image;
  const { dimensions } = bundle;
  if (embedding.length !== dimensions) {
    throw new AppError(
      'model_mismatch',
      `scoring an embedding of ${embedding.length} numbers against prompts of ${dimensions}: ` +
        'embed the bundle with the model that embeds the images',
    );
  }
  const cosines = image.similarities ?? bundle.similarities(embedding);
  if (cosines.every(Number.isFinite)) return cosines;
  throw new AppError('inference_failed', 'scoring an image: its embedding is not finite');
}

/** Where the score falls between the thresholds; a threshold is reached at its own value. */
export function bandOf(score: number, { review, block }: Thresholds): Band {
  if (block !== null && score >= block) return 'block';
  return score >= review ? 'review' : 'allow';
}

/** How a set of prompts stands to one image. */
interface Standing {
  /** The nearest of them; undefined where the set is empty. */
  text: string | undefined;
  /** Its cosine; −∞ where the set is empty. */
  cosine: number;
  /** Σ exp(scale × (cosine − the nearest's cosine)): at least 1, so that nothing overflows. */
  mass: number;
}

const NOBODY: Standing = { text: undefined, cosine: -Infinity, mass: 0 };

function standing(set: PromptSet, cosines: Float32Array, scale: number): Standing {
  let best = -1;
  let cosine = -Infinity;
  for (let i = 0; i < set.rows.length; i++) {
    const candidate = cosineAt(set, i, cosines);
    if (candidate > cosine) {
      best = i;
      cosine = candidate;
    }
  }
  if (best < 0) return NOBODY;
  let mass = 0;
  for (let i = 0; i < set.rows.length; i++) {
    mass += Math.exp(scale * (cosineAt(set, i, cosines) - cosine));
  }
  return { text: set.texts[best], cosine, mass };
}

function cosineAt(set: PromptSet, index: number, cosines: Float32Array): number {
  return cosines[set.rows[index] as number] as number;
}

function scorePolicy(
  { policy, prompts, contrast }: EmbeddedPolicy,
  neutral: Standing,
  cosines: Float32Array,
  scoring: Scoring,
  region: Region,
): PolicyResult {
  const own = standing(prompts, cosines, scoring.logitScale);
  const against = standing(contrast, cosines, scoring.logitScale);
  const strongest = against.cosine >= neutral.cosine ? against : neutral;
  const margin = strongest.text === undefined ? null : own.cosine - strongest.cosine;
  const score =
    scoring.kind === 'softmax'
      ? softmaxShare(own, [against, neutral], scoring.logitScale)
      : sigmoidScore(own.cosine, margin, scoring);
  const cosineFloor = higher(scoring.cosineFloor, policy.cosineFloor);
  const reached = bandOf(score, policy.thresholds);
  const belowFloor = reached !== 'allow' && cosineFloor !== null && own.cosine < cosineFloor;
  return {
    id: policy.id,
    title: policy.title,
    mode: policy.mode,
    score,
    band: belowFloor ? 'allow' : reached,
    thresholds: policy.thresholds,
    prompt: own.text ?? '',
    cosine: own.cosine,
    cosineFloor,
    belowFloor,
    contrast: strongest.text ?? null,
    margin,
    suppressedBy: null,
    region,
  };
}

/** The share of `own` in the softmax over all sets, from each set's mass about its own maximum. */
function softmaxShare(own: Standing, others: readonly Standing[], scale: number): number {
  const top = Math.max(own.cosine, ...others.map(({ cosine }) => cosine));
  const weigh = ({ mass, cosine }: Standing): number => mass * Math.exp(scale * (cosine - top));
  const mine = weigh(own);
  return mine / others.reduce((sum, other) => sum + weigh(other), mine);
}

function sigmoidScore(cosine: number, margin: number | null, scoring: Scoring): number {
  const alone = sigmoid(scoring.logitScale * cosine + scoring.logitBias);
  return margin === null ? alone : Math.min(alone, sigmoid(scoring.logitScale * margin));
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** The model's floor can be raised by a policy, never lowered. */
function higher(model: number | null, policy: number | null): number | null {
  if (model === null || policy === null) return model ?? policy;
  return Math.max(model, policy);
}
