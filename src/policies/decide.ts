import type { Band, ListMatch, PolicyResult } from '../events/types.generated.ts';
import type { PolicyBundle } from './bundle.ts';

const STRENGTH: Readonly<Record<Band, number>> = { allow: 0, review: 1, block: 2 };

/**
 * What an enforced list of known images says, else the strongest band of the enforced policies: block over review
 * over allow. Shadow lists and policies have no say.
 */
export function decide(
  results: readonly Pick<PolicyResult, 'mode' | 'band'>[],
  matches: readonly ListMatch[] = [],
): Band {
  const listed = decisiveMatch(matches);
  if (listed) return listed.kind;
  return strongest(results.filter(({ mode }) => mode === 'enforce').map(({ band }) => band));
}

/** The match that decides alone, of matches with the strongest first; null where the policies have their say. */
export function decisiveMatch(
  matches: readonly ListMatch[],
): (ListMatch & { kind: 'block' | 'allow' }) | null {
  return matches.find(isDecisive) ?? null;
}

function isDecisive(match: ListMatch): match is ListMatch & { kind: 'block' | 'allow' } {
  return match.mode === 'enforce' && match.kind !== 'negative';
}

/** The results with those policies kept from firing that an enforced negative list is about. */
export function suppress(
  results: readonly PolicyResult[],
  matches: readonly ListMatch[],
): PolicyResult[] {
  const negatives = matches.filter(({ kind, mode }) => kind === 'negative' && mode === 'enforce');
  return results.map((result) => {
    if (result.band === 'allow') return result;
    const by = negatives.find(({ policies }) => policies?.includes(result.id) ?? true);
    return by ? { ...result, band: 'allow', suppressedBy: by.list } : result;
  });
}

/** What the enforced policies ask for when the image could not be inspected; allow when none is enforced. */
export function requestedOnError(bundle: Pick<PolicyBundle, 'policies'>): Band {
  const enforced = bundle.policies.filter(({ mode }) => mode === 'enforce');
  return strongest(enforced.map(({ onError }) => onError));
}

/** Positive where `a` is the stronger band. */
export function compareBands(a: Band, b: Band): number {
  return STRENGTH[a] - STRENGTH[b];
}

function strongest(bands: readonly Band[]): Band {
  return bands.reduce<Band>((max, band) => (compareBands(band, max) > 0 ? band : max), 'allow');
}
