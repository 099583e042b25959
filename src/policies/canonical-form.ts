import { createHash } from 'node:crypto';
import type { Policy } from './bundle.ts';

/**
 * What a bundle means, in one spelling: defaults resolved, keys in a fixed order, policies that are off left
 * out. Bundles with equal forms give equal verdicts with the same model. The order of policies and of prompts
 * stays, for a verdict shows the one and breaks ties by the other.
 */
export function canonicalForm(version: number, policies: readonly Policy[]): string {
  return JSON.stringify({
    version,
    policies: policies
      .filter(({ mode }) => mode !== 'off')
      .map((policy) => ({
        id: policy.id,
        title: policy.title,
        mode: policy.mode,
        prompts: policy.prompts,
        contrast: policy.contrast,
        thresholds: { review: policy.thresholds.review, block: policy.thresholds.block },
        onError: policy.onError,
        cosineFloor: policy.cosineFloor,
        templates: policy.templates,
        neutral: policy.neutral,
        corroboration: policy.corroboration,
      })),
  });
}

/** SHA-256 of the canonical form, in lower-case hex. */
export function bundleHash(version: number, policies: readonly Policy[]): string {
  return createHash('sha256').update(canonicalForm(version, policies)).digest('hex');
}
