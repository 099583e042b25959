import type { PolicyResult, Region, Thresholds } from '../events/types.generated.ts';
import type { Scoring, UnitVector } from '../model/clip-encoder.ts';
import { compareBands } from './decide.ts';
import type { EmbeddedBundle } from './prompt-embeddings.ts';
import { bandOf, scoreImage } from './score.ts';

/** One look at an image, embedded. */
export interface EmbeddedView {
  region: Region;
  /** `[dimensions]`. */
  embedding: UnitVector;
  /** To each row of the bundle's matrix, where the encoder has computed them. */
  similarities?: Float32Array | null;
}

/**
 * One result for each policy that is not off, in bundle order: that of the view which decides. Within a frame the
 * strongest view does. Of an animation the strongest frame does, or, where a policy wants n frames to agree, the
 * n-th strongest: so many reach at least its band. Throws what `scoreImage` throws.
 *
 * More looks find more by chance, so the score counts how many agree: see `agreed`. What is seen only without its
 * alpha asks for a review at most: a conversion may bring it to light, but nobody sees it as it is.
 */
export function scoreViews(
  views: readonly EmbeddedView[],
  bundle: EmbeddedBundle,
  scoring: Scoring,
): PolicyResult[] {
  const results = views.map(({ embedding, similarities = null, region }) =>
    scoreImage({ embedding, similarities }, bundle, scoring, region),
  );
  return bundle.policies.map(({ policy }, index) => {
    const ofPolicy = results.flatMap((ofView) => ofView[index] ?? []);
    const shown = ofPolicy.filter(({ region }) => region.background !== 'none');
    const seen = decisive(shown.length > 0 ? shown : ofPolicy, policy);
    if (shown.length === ofPolicy.length) return seen;
    const hidden = atMostReview(decisive(ofPolicy, policy));
    return compareBands(hidden.band, seen.band) > 0 ? hidden : seen;
  });
}

interface Deciding {
  thresholds: Thresholds;
  corroboration: number;
}

function decisive(results: readonly PolicyResult[], policy: Deciding): PolicyResult {
  const byFrame = Map.groupBy(results, ({ region }) => region.frame);
  const frames = [...byFrame.values()].map((ofFrame) => agreed(ofFrame, 1, policy.thresholds));
  return agreed(frames, policy.corroboration, policy.thresholds);
}

/**
 * The result of several looks of which at least `least`, or all, must agree: the `least`-th strongest. Its odds are
 * those of Simes' procedure ("An improved Bonferroni procedure for multiple tests of significance", Biometrika 73,
 * 1986): the greatest of k ÷ n times the odds of the k-th strongest of n. So n looks that agree count as one, and one
 * against the others as an n-th of it.
 */
function agreed(
  results: readonly PolicyResult[],
  least: number,
  thresholds: Thresholds,
): PolicyResult {
  const ordered = results.toSorted((a, b) => compareBands(b.band, a.band) || b.score - a.score);
  const from = Math.min(least, ordered.length) - 1;
  const named = ordered[from] as PolicyResult;
  if (ordered.length === 1 || named.belowFloor) return named;
  const scores = ordered
    .filter(({ belowFloor }) => !belowFloor)
    .map(({ score }, at) => weighted(score, (at + 1) / ordered.length))
    .slice(from);
  const score = Math.max(...scores);
  return { ...named, score, band: bandOf(score, thresholds) };
}

/** The score whose odds are `weight` times as high. */
function weighted(score: number, weight: number): number {
  return (score * weight) / (score * weight + 1 - score);
}

function atMostReview(result: PolicyResult): PolicyResult {
  return result.band === 'block' ? { ...result, band: 'review' } : result;
}
