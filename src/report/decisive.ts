import type { ListMatch, Outcome, PolicyResult, Verdict } from '../events/types.generated.ts';

/** From the outcome that wants a person's eye most to the one that wants it least. */
export const OUTCOMES: readonly Outcome[] = ['block', 'review', 'not_inspected', 'allow'];

export const OUTCOME_NAMES: Readonly<Record<Outcome, string>> = {
  block: 'Block',
  review: 'Review',
  not_inspected: 'Not inspected',
  allow: 'Allow',
};

/**
 * The enforced policy that explains the outcome: the strongest of those that asked for it, or, where nothing
 * fired, the one that came nearest to its review threshold. Null when there is no enforced policy's result.
 */
export function decisiveResult({ outcome, policies }: Verdict): PolicyResult | null {
  const enforced = policies.filter(({ mode }) => mode === 'enforce');
  const asking = enforced.filter(({ band }) => band === outcome);
  return (asking.length > 0 ? asking : enforced).reduce<PolicyResult | null>(
    (best, each) => (best === null || nearness(each) > nearness(best) ? each : best),
    null,
  );
}

/** `block list "known-bad", entry 17 (2 bits away)`. */
export function listText({ kind, list, entry, by, distance }: ListMatch): string {
  const nearness = by === 'sha256' ? 'the same bytes' : `${distance} bits away`;
  return `${kind} list ${JSON.stringify(list)}, entry ${entry} (${nearness})`;
}

/** Where in the image a result was found, if not simply in the picture: `frame 4 of 12`, `tile at 0, 300`. */
export function placeText(
  { region: { frame, crop, box, background } }: PolicyResult,
  { image }: Verdict,
): string | null {
  const frames = image?.frames ?? 1;
  const places = [
    frames > 1 ? `frame ${frame + 1} of ${frames}` : null,
    ['tile', 'detail'].includes(crop) && box !== null ? `${crop} at ${box.left}, ${box.top}` : null,
    background === 'black' ? 'over black' : null,
    background === 'none' ? 'under its transparency' : null,
  ].filter((place) => place !== null);
  return places.length === 0 ? null : places.join(', ');
}

/** How far a score went towards the threshold that counts for it. */
function nearness({ score, thresholds, band }: PolicyResult): number {
  return (
    score / (band === 'block' && thresholds.block !== null ? thresholds.block : thresholds.review)
  );
}

export interface Comparison {
  sign: '≥' | '<';
  threshold: number;
}

/** The threshold that put the score into its band: the one reached, or for `allow` the one not reached. */
export function comparisonOf({ band, thresholds }: PolicyResult): Comparison {
  if (band === 'block' && thresholds.block !== null)
    return { sign: '≥', threshold: thresholds.block };
  return { sign: band === 'allow' ? '<' : '≥', threshold: thresholds.review };
}

/** A score for people. It never shows as a threshold that it did not reach: 0.899 is 0.89 below 0.90. */
export function scoreText(score: number): string {
  return (Math.floor(score * 100 + 1e-9) / 100).toFixed(2);
}

/** A number with a true minus sign and without a negative nought: `0.31`, `−0.02`. */
export function decimal(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A difference: `+0.09`, `−0.02`; `0.00` has no sign. */
export function signed(value: number, digits = 2): string {
  const text = decimal(value, digits);
  return text.startsWith('−') || Number(text) === 0 ? text : `+${text}`;
}
