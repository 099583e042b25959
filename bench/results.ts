import type { StudyName } from './groups.ts';
import type { ScoringReport } from './children/scoring.ts';
import type { Latency } from './groups/latency.ts';
import type { MemoryTrend } from './groups/memory.ts';
import type { BenchOptions } from './options.ts';
import type { Machine } from './machine.ts';
import type { Usage } from './process-watch.ts';
import { spreadOf, type Spread } from './statistics.ts';
import type { Target } from './targets.ts';
import type { Measurement, TrialName } from './trial.ts';

/** What the main process of the service may take with the starter model, whatever the backlog. */
export const MAX_SERVICE_MIB = 700;

export interface Row {
  name: TrialName;
  title: string;
  /** Events per second; null when it could not be run. */
  rate: Spread | null;
  rateSinceStart: Spread | null;
  usage: Record<string, Usage>;
  /** Why there is no figure. */
  fault: string | null;
}

/** The highest over the lowest figure of a row, above which its median says little. */
const STEADY = 1.25;

/** Rows whose rounds differ so much that something else must have used the machine. */
export function unsteady(rows: readonly Row[]): Row[] {
  return rows.filter(({ rate }) => rate !== null && rate.max / rate.min > STEADY);
}

/** The first of each is compared with the others. */
export const COMPARED: ReadonlyArray<readonly [TrialName, ...TrialName[]]> = [
  [
    ...(['service', 'avro', 'exactly-once', 'repeated', 'pipeline', 'inspector'] as const),
    ...(['bare', 'bare-per-core', 'naive', 'python'] as const),
  ],
  ['small-exactly-once', 'small'],
  ['zero-cost', 'kafkajs-loop'],
  ['known', 'inspector'],
  ['jpeg', 'jpeg-sharp', 'jpeg-codec'],
  ['pool', 'in-process', 'loop'],
  ['events-100k', 'events-10k'],
  ['partitions-16', 'partitions-2'],
];

/** How many times as fast `of` is as `over`, round by round. */
export interface Ratio {
  of: TrialName;
  over: TrialName;
  ratio: Spread;
}

/** Memory of the service's processes while so many events waited. */
export interface BacklogRow {
  events: number;
  rate: number;
  usage: Record<string, Usage>;
}

export interface Results {
  machine: Machine;
  command: string;
  photos: string;
  options: Omit<BenchOptions, 'only' | 'json'> & { warmUp: number; only: string[] };
  rows: Row[];
  ratios: Ratio[];
  backlogs: BacklogRow[];
  /** null: not asked for, or failed. */
  scoring: ScoringReport | null;
  latency: Latency | null;
  memory: MemoryTrend | null;
  /** Why there is nothing of what was asked for and is no row. */
  faults: Partial<Record<StudyName, string>>;
  targets: Target[];
}

/** Of all runs, with whatever backlog; null when the service was not run, or there is no /proc. */
export function highestServiceMiB({
  rows,
  backlogs,
}: Pick<Results, 'rows' | 'backlogs'>): number | null {
  const peaks = [...rows, ...backlogs].flatMap(({ usage }) => usage['service']?.peakMiB ?? []);
  return peaks.length > 0 ? Math.max(...peaks) : null;
}

export function rowOf(
  { name, title }: Pick<Row, 'name' | 'title'>,
  measured: readonly Measurement[],
  fault: string | null,
): Row {
  const sinceStart = measured.flatMap(({ rateSinceStart }) => rateSinceStart ?? []);
  return {
    name,
    title,
    rate: measured.length > 0 ? spreadOf(measured.map(({ rate }) => rate)) : null,
    rateSinceStart: sinceStart.length > 0 ? spreadOf(sinceStart) : null,
    usage: usageOf(measured.map(({ usage }) => usage)),
    fault,
  };
}

/** The highest memory of all rounds, and the median of their CPU time. */
export function usageOf(rounds: ReadonlyArray<Record<string, Usage>>): Record<string, Usage> {
  const roles = [...new Set(rounds.flatMap((usage) => Object.keys(usage)))];
  return Object.fromEntries(
    roles.map((role) => {
      const seen = rounds.flatMap((usage) => usage[role] ?? []);
      const usage: Usage = {
        processes: Math.max(...seen.map(({ processes }) => processes)),
        peakMiB: Math.max(...seen.map(({ peakMiB }) => peakMiB)),
        cpuPer1000: spreadOf(seen.map(({ cpuPer1000 }) => cpuPer1000)).median,
      };
      return [role, usage];
    }),
  );
}

/**
 * Round by round, since both were run one after the other then and met the same machine; over the rounds that both
 * took part in.
 */
export function ratiosOf(rows: readonly Row[], of: TrialName): Ratio[] {
  const own = rows.find(({ name }) => name === of)?.rate;
  if (!own) return [];
  return rows.flatMap(({ name, rate, fault }) => {
    if (name === of || rate === null || fault !== null) return [];
    const ratios = own.values.flatMap((value, round) => {
      const other = rate.values[round];
      return other === undefined ? [] : [value / other];
    });
    return [{ of, over: name, ratio: spreadOf(ratios) }];
  });
}

export function optionsOf(options: BenchOptions, warmUp: number): Results['options'] {
  const { rounds, events, minutes, arrivals, smoke, only } = options;
  return { rounds, events, minutes, arrivals, smoke, warmUp, only: [...only] };
}
