import type { Verdict } from '../../src/events/types.generated.ts';
import { verdictId } from '../../src/events/verdict-id.ts';
import { aVerdict } from './builders.ts';

export const range = { topic: 'images', partition: 0, from: 0, to: 10 };
export const input = (offset: number) => ({ topic: 'images', partition: 0, offset });
/** Under the id that its input, event, model and bundle give it. */
export function identified(verdict: Verdict, origin = verdict.input): Verdict {
  const { eventId, model, bundle } = verdict;
  const { hash: modelHash, preprocessing } = model;
  const hashes = { modelHash, preprocessing, bundleHash: bundle.hash };
  return { ...verdict, verdictId: verdictId({ eventId, ...origin, ...hashes }) };
}
export const verdictOf = (offset: number, overrides: Partial<Verdict> = {}): Verdict => {
  const verdict = identified(aVerdict({ input: input(offset), ...overrides }));
  return { ...verdict, ...overrides };
};
export const id = (offset: number) => verdictOf(offset).verdictId;
