import type { Outcome } from '../src/events/types.generated.ts';
import type { EmbeddedView } from '../src/policies/score-views.ts';
import type { Judge } from './judge.ts';
import type { Row, Subject } from './picture.ts';

/** What became of one subject in one row. */
export interface Trial {
  group: string;
  name: string;
  strength: string;
  subject: string;
  /** By the subject's own policy; `not_inspected` where the picture was refused. */
  outcome: Outcome;
  /** Its score less the threshold for a review; null where there is no score. */
  margin: number | null;
  inferences: number;
  /** The highest cosine of a view's embedding to that of the subject by itself, whatever the policies say. */
  likeness: number | null;
}

export async function tryRow(
  row: Row,
  subject: Subject,
  judge: Judge,
  original: readonly EmbeddedView[],
): Promise<Trial> {
  const judged = await judge.judge(await row.make(subject));
  const result = judged.policies.find(({ id }) => id === subject.policy);
  const { group, name, strength } = row;
  return {
    ...{ group, name, strength, subject: subject.name },
    outcome: result ? result.band : judged.outcome,
    margin: result ? result.score - result.thresholds.review : null,
    inferences: judged.views.length,
    likeness: likenessOf(judged.views, original),
  };
}

function likenessOf(
  views: readonly EmbeddedView[],
  original: readonly EmbeddedView[],
): number | null {
  const [own] = original;
  if (own === undefined || views.length === 0) return null;
  return Math.max(...views.map(({ embedding }) => cosine(embedding, own.embedding)));
}

/** The cosine of two unit vectors. */
function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}
