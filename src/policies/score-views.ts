import type { PolicyResult, Region } from '../events/types.generated.ts';
import type { Scoring, UnitVector } from '../model/clip-encoder.ts';
import { compareBands } from './decide.ts';
import type { EmbeddedBundle } from './prompt-embeddings.ts';
import { scoreImage } from './score.ts';

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
 */
export function scoreViews(
  views: readonly EmbeddedView[],
  bundle: EmbeddedBundle,
  scoring: Scoring,
): PolicyResult[] {
  const results = views.map(({ embedding, similarities = null, region }) =>
    scoreImage({ embedding, similarities }, bundle, scoring, region),
  );
  const [first, ...others] = results;
  if (first !== undefined && others.length === 0) return first;
  return bundle.policies.map(({ policy }, index) => {
    const ofPolicy = results.flatMap((ofView) => ofView[index] ?? []);
    const byFrame = Map.groupBy(ofPolicy, ({ region }) => region.frame);
    const frames = [...byFrame.values()].map((ofFrame) => inOrder(ofFrame)[0]);
    const ordered = inOrder(frames.filter((result) => result !== undefined));
    return ordered[Math.min(policy.corroboration, ordered.length) - 1] as PolicyResult;
  });
}

/** The strongest first. */
function inOrder(results: readonly PolicyResult[]): PolicyResult[] {
  return results.toSorted((a, b) => compareBands(b.band, a.band) || b.score - a.score);
}
