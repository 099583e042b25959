import { describe, expect, it } from '@jest/globals';
import { largestBatch } from '../../bench/groups/latency.ts';
import { ratiosOf, rowOf } from '../../bench/results.ts';
import { judge, type Judged, type Target } from '../../bench/targets.ts';
import type { TrialName } from '../../bench/trial.ts';

const nothing: Judged = { rows: [], ratios: [], scoring: null, latency: null, memory: null };

function judged(rates: Partial<Record<TrialName, number>>): Judged {
  const rows = Object.entries(rates).map(([name, rate]) =>
    rowOf({ name: name as TrialName, title: name }, [{ rate, usage: {} }], null),
  );
  return { ...nothing, rows, ratios: rows.flatMap(({ name }) => ratiosOf(rows, name)) };
}

const target = (results: Judged, id: string): Target | undefined =>
  judge(results).find((each) => each.id === id);

function trendOfService(perHour: number, halfWidth: number, minutes = 30): Judged {
  const service = { first: 300, last: 310, highest: 320, trend: { perHour, halfWidth } };
  return {
    ...nothing,
    memory: { minutes, rate: 60, capacity: 100, events: 7_200, series: { service } },
  };
}

describe('judge', () => {
  it('holds the service to the faster of its limits', () => {
    const rates = { service: 96, bare: 90, 'bare-per-core': 100 };
    expect(target(judged(rates), 'a')).toMatchObject({ measured: 0.96, met: true });
    expect(target(judged({ ...rates, bare: 120 }), 'a')).toMatchObject({
      measured: 0.8,
      met: false,
    });
  });

  it('says nothing of what was not measured', () => {
    expect(judge(nothing).map(({ measured, met }) => [measured, met])).toEqual(
      judge(nothing).map(() => [null, null]),
    );
  });

  it('takes a slope for none when its interval holds zero, or when it is slight', () => {
    expect(target(trendOfService(90, 100), 'g')?.met).toBe(true);
    expect(target(trendOfService(3, 1), 'g')?.met).toBe(true);
    expect(target(trendOfService(90, 10), 'g')?.met).toBe(false);
  });

  it('does not judge a slope while the heap grows to its size', () => {
    expect(target(trendOfService(90, 10, 1), 'g')).toMatchObject({ measured: 90, met: null });
  });

  it('wants of the service beside its images what kafkajs alone makes likely, and no less', () => {
    const of = (rates: Partial<Record<TrialName, number>>) => target(judged(rates), 'd');
    expect(of({ 'zero-cost': 25_000, 'kafkajs-loop': 60_000 })).toMatchObject({
      wanted: '>= 42000',
      met: false,
    });
    expect(of({ 'zero-cost': 25_000, 'kafkajs-loop': 10_000 })).toMatchObject({
      wanted: '>= 20000',
      met: true,
    });
  });
});

describe('largestBatch', () => {
  it('tells batches by their time of inference, which their verdicts share', () => {
    const times = [50, 50, 80, 80, 80, 100, 100, 100, 7];
    const verdicts = times.map((inferMs) => ({
      timings: { fetchMs: 0, decodeMs: 1, queueMs: 0, inferMs, totalMs: 100 },
    }));
    expect(largestBatch(verdicts)).toEqual({ size: 3, ms: 90 });
  });
});
