import { describe, expect, it } from '@jest/globals';
import type { Figures } from '../../isolation/figures.ts';
import { brokenByQuota, renderQuota, type QuotaFigures } from '../../isolation/quota.ts';
import {
  BOUNDS,
  brokenBounds,
  latencyBound,
  renderResults,
  type IsolationResults,
} from '../../isolation/results.ts';

const sound: Figures = {
  name: 'small',
  light: { published: 60, judged: 60, latency: { p50: 50, p99: 90, max: 100 } },
  idle: { p50: 20, p99: 30, max: 30 },
  longestServiceMs: 40,
  hot: { published: 10, outcomes: new Map([['judged', 10]]), unexpected: 0 },
  throughput: { alone: 100, withLight: 97, total: 0.98 },
  breaches: [],
};
const results = (changes: Partial<Figures> = {}, spread = { onePartition: 99, spread: 100 }) =>
  ({
    loads: [{ ...sound, ...changes }],
    spread,
    bounds: BOUNDS,
    seconds: 60,
    signature: '2026-01-01, npm run isolation',
  }) satisfies IsolationResults;
const light = (changes: object) => ({ light: { ...sound.light, ...changes } });
const p99 = (value: number) => light({ latency: { p50: 50, p99: value, max: value } });

describe('a run of the isolation suite', () => {
  it('is sound when every bound is kept', () => {
    expect(brokenBounds(results())).toEqual([]);
    expect(renderResults(results())).toContain('No load slowed the light events');
  });

  it('lets light events wait for a second and two of the longest services', () => {
    expect(latencyBound(sound, BOUNDS)).toBe(1_080);
    expect(brokenBounds(results(p99(1_080)))).toEqual([]);
  });

  it.each<[string, Partial<Figures>]>([
    ['1 of 60 light events are not judged', light({ judged: 59 })],
    ['light p99 is 1081 ms, more than 1080 ms', p99(1_081)],
    ['light p99', p99(Number.NaN)],
    ['0.94 of that of hot events alone', { throughput: { alone: 1, withLight: 1, total: 0.94 } }],
    ['NaN', { throughput: { alone: 0, withLight: 0, total: Number.NaN } }],
    ['2 hot events have another outcome', { hot: { ...sound.hot, unexpected: 2 } }],
    ['the service ended', { breaches: ['the service ended: 70'] }],
  ])('is broken: %s', (said, changes) => {
    const broken = brokenBounds(results(changes));
    expect(broken).toHaveLength(1);
    expect(broken[0]).toContain(said);
    expect(renderResults(results(changes))).toContain('BROKEN');
  });

  it.each([
    [94, 100],
    [Number.NaN, 100],
    [100, Number.NaN],
  ])('is broken when one partition does %d and all do %d', (onePartition, spread) => {
    expect(brokenBounds(results({}, { onePartition, spread }))[0]).toContain('one partition alone');
  });
});

describe('reading under a quota', () => {
  const figures: QuotaFigures = {
    seconds: 300,
    kBPerSecond: 180,
    judged: 100,
    assignments: 1,
    throttledSeconds: 200,
    isLogged: true,
    exits: [],
  };

  it('is sound when the quota is used and the group does not notice', () => {
    expect(brokenByQuota(figures)).toEqual([]);
    expect(renderQuota(figures)).toContain('180 kB/s (0.90 of the quota), 1 assignments');
  });

  it.each<[string, Partial<QuotaFigures>]>([
    ['of the quota is used', { kBPerSecond: 79 }],
    ['2 times, not once', { assignments: 2 }],
    ['moderato.consumer.throttled', { throttledSeconds: 0 }],
    ['in the log', { isLogged: false }],
    ['the service ended', { exits: ['75'] }],
  ])('is broken: %s', (said, changes) => {
    expect(brokenByQuota({ ...figures, ...changes }).join()).toContain(said);
  });
});
