/** What a trial comes to, in numbers. */
import { percentilesOf, spreadOf } from '../bench/statistics.ts';
import type { Side } from './publisher.ts';
import type { Trial } from './trial.ts';

/** From publishing an event to its verdict in the log, in ms. */
export interface Latency {
  p50: number;
  p99: number;
  max: number;
}

/** Hot events a second. */
export interface Throughput {
  alone: number;
  /** undefined when no hot event was left for the light ones to meet. */
  withLight: number | undefined;
  /** Work with light events over work without; a light event counts as the part of a hot one that it costs. */
  total: number | undefined;
}

export interface Figures {
  name: string;
  light: { published: number; judged: number; latency: Latency };
  /** Light events while nothing else was there. */
  idle: Latency;
  /** The longest that decoding and inference took of an event that waited for no other, in ms. */
  longestServiceMs: number;
  hot: { published: number; outcomes: Map<string, number>; unexpected: number };
  /** Only where hot events are alone for a while. */
  throughput: Throughput | undefined;
  breaches: readonly string[];
}

export function figuresOf(trial: Trial): Figures {
  const { load, published, breaches } = trial;
  const ids = (side: Side): string[] =>
    [...published].flatMap(([id, each]) => (each.side === side ? [id] : []));
  const light = ids('light');
  const outcomes = new Map<string, number>();
  for (const id of [...ids('hot'), ...ids('probe')]) {
    const outcome = trial.found.get(id)?.outcome ?? 'NONE';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const expected = outcomes.get(load.expected) ?? 0;
  const hotCount = outcomes.values().reduce((sum, count) => sum + count, 0);
  const alone = [...ids('idle'), ...ids('probe')];
  return {
    name: load.name,
    light: {
      published: light.length,
      judged: light.filter((id) => trial.found.get(id)?.outcome === 'judged').length,
      latency: latencyOf(trial, light),
    },
    idle: latencyOf(trial, ids('idle')),
    longestServiceMs: Math.max(0, ...alone.map((id) => trial.found.get(id)?.workMs ?? 0)),
    hot: { published: hotCount, outcomes, unexpected: hotCount - expected },
    throughput: load.aloneSeconds > 0 ? throughputOf(trial, ids) : undefined,
    breaches,
  };
}

function latencyOf({ published, found }: Trial, ids: readonly string[]): Latency {
  const values = ids.flatMap((id) => {
    const [from, verdict] = [published.get(id)?.at, found.get(id)];
    return from === undefined || verdict === undefined ? [] : [verdict.at - from];
  });
  if (values.length === 0) return { p50: Number.NaN, p99: Number.NaN, max: Number.NaN };
  const { p50, p99 } = percentilesOf(values);
  return { p50, p99, max: Math.max(...values) };
}

function throughputOf(trial: Trial, ids: (side: Side) => string[]): Throughput {
  const { aloneFrom, lightFrom, lightUntil } = trial.phases;
  const times = (side: Side): number[] => ids(side).flatMap((id) => trial.found.get(id)?.at ?? []);
  const work = (side: Side): number =>
    medianOf(ids(side).flatMap((id) => trial.found.get(id)?.workMs ?? []));
  const hot = times('hot');
  const ended = Math.max(...hot);
  const alone = rateOf(hot, aloneFrom, Math.min(lightFrom, ended));
  const until = Math.min(lightUntil, ended);
  if (until <= lightFrom) return { alone, withLight: undefined, total: undefined };
  const withLight = rateOf(hot, lightFrom, until);
  const weight = work('idle') / work('probe');
  const total = (withLight + weight * rateOf(times('light'), lightFrom, until)) / alone;
  return { alone, withLight, total };
}

/** Moments a second between two others, in ms since the epoch. */
function rateOf(moments: readonly number[], from: number, until: number): number {
  const inside = moments.filter((at) => at > from && at <= until).length;
  return until > from ? (inside * 1_000) / (until - from) : Number.NaN;
}

function medianOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : spreadOf(values).median;
}
