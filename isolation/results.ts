import Table from 'cli-table3';
import type { Figures } from './figures.ts';

/** What a run holds its figures to. */
export interface Bounds {
  /** A light event may wait this long beside what is served, in ms. */
  slackMs: number;
  /** For so many of the longest services. */
  services: number;
  /** The least part of the throughput that must be left. */
  throughput: number;
}

/** The slack is what fetching, batching and committing take on two cores; two services may be under way. */
export const BOUNDS: Bounds = { slackMs: 1_000, services: 2, throughput: 0.95 };
/** For few events on a machine four times busier. */
export const SMOKE_BOUNDS: Bounds = { slackMs: 4_000, services: 8, throughput: 0.15 };

export interface IsolationResults {
  loads: readonly Figures[];
  /** Small events of one partition alone, and the same records spread over all partitions, in events/s. */
  spread: { onePartition: number; spread: number } | undefined;
  bounds: Bounds;
  seconds: number;
  /** Date and command. */
  signature: string;
}

/** What a light event may take at p99, in ms. */
export function latencyBound({ longestServiceMs }: Figures, bounds: Bounds): number {
  return bounds.slackMs + bounds.services * longestServiceMs;
}

export function brokenBounds(results: IsolationResults): string[] {
  const { loads, spread, bounds } = results;
  const broken = loads.flatMap((load) =>
    brokenBy(load, bounds).map((why) => `${load.name}: ${why}`),
  );
  if (spread && !(spread.onePartition >= bounds.throughput * spread.spread)) {
    broken.push(
      `one partition alone gives ${perSecond(spread.onePartition)} events/s, ` +
        `less than ${bounds.throughput} of the ${perSecond(spread.spread)} of all partitions`,
    );
  }
  return broken;
}

/** Written so that a figure that is not a number breaks its bound. */
function brokenBy(load: Figures, bounds: Bounds): string[] {
  const { light, hot, throughput, breaches } = load;
  const broken = [...breaches];
  const unjudged = light.published - light.judged;
  if (unjudged > 0) broken.push(`${unjudged} of ${light.published} light events are not judged`);
  const most = latencyBound(load, bounds);
  if (!(light.latency.p99 <= most)) {
    broken.push(`light p99 is ${inMs(light.latency.p99)}, more than ${inMs(most)}`);
  }
  if (throughput && throughput.withLight !== undefined) {
    const { total = Number.NaN } = throughput;
    if (!(total >= bounds.throughput)) {
      broken.push(`all work together is ${total.toFixed(2)} of that of hot events alone`);
    }
  }
  if (hot.unexpected > 0) {
    broken.push(`${hot.unexpected} hot events have another outcome: ${outcomesOf(load)}`);
  }
  return broken;
}

export function renderResults(results: IsolationResults): string {
  const { loads, spread, bounds } = results;
  const table = new Table({
    head: [
      'load',
      'light judged',
      'p50',
      'p99',
      'max',
      'p99 at most',
      'idle p50',
      'idle max',
      'longest service',
      'hot/s alone',
      'hot/s with light',
      'total ÷ alone',
      'hot outcomes',
    ],
    style: { head: [], border: [] },
    colAligns: ['left', ...Array<'right'>(11).fill('right'), 'left'],
  });
  for (const load of loads) {
    const { light, idle, longestServiceMs, throughput } = load;
    table.push([
      load.name,
      `${light.judged} of ${light.published}`,
      inMs(light.latency.p50),
      inMs(light.latency.p99),
      inMs(light.latency.max),
      inMs(latencyBound(load, bounds)),
      inMs(idle.p50),
      inMs(idle.max),
      inMs(longestServiceMs),
      perSecond(throughput?.alone),
      perSecond(throughput?.withLight),
      throughput?.total?.toFixed(2) ?? '–',
      outcomesOf(load),
    ]);
  }
  const broken = brokenBounds(results);
  return [
    table.toString(),
    ...(spread
      ? [
          `small, hot alone: ${perSecond(spread.onePartition)} events/s from one partition, ` +
            `${perSecond(spread.spread)} from all (ratio ${(spread.onePartition / spread.spread).toFixed(2)})`,
        ]
      : []),
    `Latency is from publishing to the verdict in the log. Took ${results.seconds.toFixed(0)} s.`,
    results.signature,
    broken.length === 0
      ? 'No load slowed the light events beyond the bound.'
      : `BROKEN:\n  ${broken.join('\n  ')}`,
  ].join('\n');
}

function outcomesOf({ hot }: Figures): string {
  return [...hot.outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ');
}

function inMs(ms: number): string {
  return `${ms.toFixed(0)} ms`;
}

function perSecond(rate: number | undefined): string {
  return rate === undefined ? '–' : rate.toFixed(rate < 20 ? 1 : 0);
}
