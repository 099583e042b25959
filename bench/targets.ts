import type { Results } from './results.ts';
import { holdsZero } from './trend.ts';

/** What the bench is to show, with what this run showed. */
export interface Target {
  /** Its group, and a number where there are several. */
  id: string;
  what: string;
  wanted: string;
  /** null: not measured in this run. */
  measured: number | null;
  /** null: not to be told from this run. */
  met: boolean | null;
}

/** What the targets are judged by. */
export type Judged = Pick<Results, 'rows' | 'ratios' | 'scoring' | 'latency' | 'memory'>;

interface Wish {
  id: string;
  what: string;
  /** null: what it is about was not measured. */
  judge: (results: Judged) => { wanted: string; measured: number | null; met: boolean | null };
}

/** Growth of the service's resident set that nobody has to look into, MiB/h. */
const CALM_MIB_PER_HOUR = 4;
/** Before, a heap still grows to its size. */
const SETTLED_MINUTES = 10;
/** Rates that differ by less say nothing. */
const NOISE = 0.1;

const WISHES: readonly Wish[] = [
  {
    id: 'a',
    what: 'service over Kafka, as part of the faster of the limits',
    judge: (results) => atLeast(0.95, least(ratios(results, 'service', ['bare', 'bare-per-core']))),
  },
  {
    id: 'b1',
    what: 'service, times the naive consumer',
    judge: (results) => atLeast(3, least(ratios(results, 'service', ['naive']))),
  },
  {
    id: 'b2',
    what: 'service, times the batch consumer in Python',
    judge: (results) => atLeast(1.3, least(ratios(results, 'service', ['python']))),
  },
  {
    id: 'c',
    what: 'JPEG to pixels, times sharp',
    judge: (results) => atLeast(2, least(ratios(results, 'jpeg', ['jpeg-sharp']))),
  },
  {
    id: 'd',
    what: 'service with decoder and encoder at no cost, events/s, against 20,000 and 0.7 of kafkajs alone',
    judge: (results) => {
      const loop = rateOf(results, 'kafkajs-loop');
      const bound = loop === undefined ? 20_000 : Math.max(20_000, 0.7 * loop);
      return atLeast(bound, rateOf(results, 'zero-cost'));
    },
  },
  {
    id: 'e',
    what: 'scores of 1,000 policies of 8 prompts, as part of the inference of a ViT-B/32',
    judge: ({ scoring }) =>
      atMost(0.02, scoring?.rows.find(({ policies }) => policies === 1_000)?.shareNew),
  },
  {
    id: 'f',
    what: 'p99 of the latency at 80 % of the capacity, ms, against batching wait and two batches',
    judge: ({ latency }) => {
      const row = latency?.rows.find(({ load }) => load === 0.8);
      const bound = latency ? latency.waitMs + 2 * latency.batch.ms : NaN;
      return atMost(bound, row?.latency.p99);
    },
  },
  {
    id: 'g',
    what: `slope of the memory of the service, MiB/h, in ${SETTLED_MINUTES} min or more`,
    judge: ({ memory }) => {
      const trend = memory?.series.service?.trend;
      const settled = trend && memory.minutes >= SETTLED_MINUTES;
      return {
        wanted: `0 in its 95 % interval, or <= ${CALM_MIB_PER_HOUR}`,
        measured: trend?.perHour ?? null,
        met: settled ? holdsZero(trend) || trend.perHour <= CALM_MIB_PER_HOUR : null,
      };
    },
  },
  {
    id: 'h1',
    what: 'rate with ten times the events, as part of that with one',
    judge: (results) => atLeast(1 - NOISE, least(ratios(results, 'events-100k', ['events-10k']))),
  },
  {
    id: 'h2',
    what: 'rate with 16 partitions, as part of that with 2',
    judge: (results) =>
      atLeast(1 - NOISE, least(ratios(results, 'partitions-16', ['partitions-2']))),
  },
];

export function judge(results: Judged): Target[] {
  return WISHES.map(({ id, what, judge }) => ({ id, what, ...judge(results) }));
}

/** Medians of `of` against each of `over` that was measured. */
function ratios({ ratios }: Judged, of: string, over: readonly string[]): number[] {
  return ratios
    .filter((ratio) => ratio.of === of && over.includes(ratio.over))
    .map(({ ratio }) => ratio.median);
}

function rateOf({ rows }: Judged, wanted: string): number | undefined {
  return rows.find(({ name }) => name === wanted)?.rate?.median;
}

function least(values: readonly number[]): number | undefined {
  return values.length > 0 ? Math.min(...values) : undefined;
}

function atLeast(bound: number, measured: number | undefined) {
  const met = measured === undefined ? null : measured >= bound;
  return { wanted: `>= ${rounded(bound)}`, measured: measured ?? null, met };
}

function atMost(bound: number, measured: number | undefined) {
  const met = measured === undefined ? null : measured <= bound;
  const wanted = Number.isNaN(bound) ? '' : `<= ${rounded(bound)}`;
  return { wanted, measured: measured ?? null, met };
}

const rounded = (value: number): string => String(Number(value.toPrecision(4)));
