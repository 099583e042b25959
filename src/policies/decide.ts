import type { Band, PolicyResult } from '../events/types.generated.ts';
import type { PolicyBundle } from './bundle.ts';

const STRENGTH: Readonly<Record<Band, number>> = { allow: 0, review: 1, block: 2 };

/** The strongest band of the enforced policies: block over review over allow. Shadow policies have no say. */
export function decide(results: readonly Pick<PolicyResult, 'mode' | 'band'>[]): Band {
  return strongest(results.filter(({ mode }) => mode === 'enforce').map(({ band }) => band));
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
