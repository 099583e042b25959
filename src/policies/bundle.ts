/**
 * Policies: what a trust-and-safety team writes, and how an embedding is held against it.
 * `score.ts` and `decide.ts` are pure; this room knows nothing of Kafka or of how embeddings are made.
 */
import type { Band, PolicyMode, Thresholds } from '../events/types.generated.ts';

/** One policy with every default resolved. */
export interface Policy {
  id: string;
  title: string;
  mode: PolicyMode | 'off';
  /** What the policy looks for: each is expanded by every template. */
  prompts: readonly string[];
  /** What it must not be mistaken for: expanded like prompts. */
  contrast: readonly string[];
  thresholds: Thresholds;
  /** What this policy asks for when the image could not be inspected. */
  onError: Band;
  /** Raises the model's cosine floor for this policy; null leaves the model's. */
  cosineFloor: number | null;
  /** Each holds one `{}`, the place of the prompt. */
  templates: readonly string[];
  /** Taken as they are, not expanded; null: the model's own. */
  neutral: readonly string[] | null;
  /** So many frames of an animation must agree before it counts; of fewer frames, all. */
  corroboration: number;
}

export interface PolicyBundle {
  version: number;
  /** SHA-256 of the canonical form: equal for bundles that mean the same, whatever their layout or comments. */
  hash: string;
  policies: readonly Policy[];
}
