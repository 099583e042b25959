import { describe, expect, it } from '@jest/globals';
import { nearestName } from '../src/did-you-mean.ts';

const known = ['prompts', 'contrast', 'thresholds', 'onError', 'cosineFloor', 'id'];

describe('nearestName', () => {
  it.each([
    ['prompt', 'prompts'],
    ['thershold', 'thresholds'],
    ['on_error', 'onError'],
    ['CosineFloor', 'cosineFloor'],
    ['conrtast', 'contrast'],
    ['di', 'id'],
  ])('takes %s for %s', (given, meant) => {
    expect(nearestName(given, known)).toBe(meant);
  });

  it.each(['severity', 'x', 'floor'])('has no guess for %s', (given) => {
    expect(nearestName(given, known)).toBeUndefined();
  });
});
