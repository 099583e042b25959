import { describe, expect, it } from '@jest/globals';
import {
  CONTRACTS,
  IMAGE_EVENT,
  VERDICT,
  EMBEDDING,
  DEAD_LETTER,
} from '../../src/events/schemas.ts';
import {
  aDeadLetter,
  aNotInspectedVerdict,
  aVerdict,
  anEmbedding,
  anImageEvent,
} from '../support/builders.ts';

describe('the contracts', () => {
  it('take verdicts as plain JSON', () => {
    const plain: unknown = JSON.parse(JSON.stringify(aVerdict()));
    expect(VERDICT.isValid(plain)).toBe(true);
    expect(VERDICT.isValid(aNotInspectedVerdict())).toBe(true);
  });

  it('name the path of what does not fit', () => {
    const paths: string[] = [];
    const verdict = aVerdict({ decidedAt: 1.5, outcome: 'maybe' as 'allow' });
    VERDICT.isValid(verdict, { errorHook: (path) => paths.push(path.join('.')) });
    expect(paths).toEqual(['decidedAt', 'outcome']);
  });

  it.each([
    ['image events', IMAGE_EVENT, anImageEvent()],
    ['verdicts', VERDICT, aVerdict()],
    ['dead letters', DEAD_LETTER, aDeadLetter()],
    ['embeddings', EMBEDDING, anEmbedding()],
  ])('carry %s through Avro unchanged', (_, type, message) => {
    expect(type.fromBuffer(type.toBuffer(message))).toEqual(message);
  });

  it('hold no union but null and one other type, which JSON writes without a tag', () => {
    const unions = Object.values(CONTRACTS).flatMap(({ text }) => unionsOf(JSON.parse(text)));
    expect(unions.length).toBeGreaterThan(10);
    for (const union of unions) {
      expect(union).toHaveLength(2);
      expect(union[0]).toBe('null');
    }
  });
});

/** Every union in a schema: an array that is the value of a `type`, `items` or `values`. */
function unionsOf(schema: unknown): unknown[][] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, inner]) => {
    const nested = unionsOf(inner);
    const isUnion = ['type', 'items', 'values'].includes(key) && Array.isArray(inner);
    return isUnion ? [inner as unknown[], ...nested] : nested;
  });
}
