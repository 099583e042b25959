import Table from 'cli-table3';
import type { ChaosOptions } from './options.ts';
import { FAULT_KINDS, type FaultKind } from './schedule.ts';

export interface Struck {
  kind: FaultKind;
  /** Until every partition with work had moved on, in ms. */
  recoveryMs: number;
}

export interface ChaosResults {
  options: ChaosOptions;
  struck: Struck[];
  events: number;
  /** Records that the input topic holds. */
  inputs: number;
  verdicts: number;
  lost: number;
  duplicates: number;
  conflicting: number;
  /** Dead letters that are missing. */
  deadLettersLost: number;
  /** Verdicts that say another thing than their picture demands. */
  wrong: number;
  /** How instances ended, and how often. */
  endings: Record<string, number>;
  seconds: number;
  date: string;
  command: string;
}

/** What the promise that was tested does not allow. */
export function brokenPromises(results: ChaosResults): string[] {
  const { lost, conflicting, deadLettersLost, wrong, duplicates, options } = results;
  const never = { lost, conflicting, 'dead letters lost': deadLettersLost, wrong };
  const once = options.delivery === 'exactly-once' ? { duplicates } : {};
  return Object.entries({ ...never, ...once }).flatMap(([what, count]) =>
    count > 0 ? [`${count} ${what}`] : [],
  );
}

/** The value below which the given part of `values` lies; nearest rank. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export function renderResults(results: ChaosResults): string {
  const table = new Table({
    head: ['fault', 'times', 'recovery p50', 'p99', 'longest'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  for (const kind of [...FAULT_KINDS, undefined]) {
    const times = results.struck
      .filter((struck) => kind === undefined || struck.kind === kind)
      .map(({ recoveryMs }) => recoveryMs);
    if (times.length === 0) continue;
    const seconds = (part: number): string => `${(percentile(times, part) / 1000).toFixed(1)} s`;
    table.push([kind ?? 'all', times.length, seconds(0.5), seconds(0.99), seconds(1)]);
  }
  const broken = brokenPromises(results);
  const endings = Object.entries(results.endings).map(([how, times]) => `${how} ${times} times`);
  return [
    table.toString(),
    `${results.options.delivery}: ${results.inputs} inputs, ${results.verdicts} verdicts, ` +
      `${results.lost} lost, ${results.duplicates} duplicates, ${results.conflicting} conflicting, ` +
      `${results.wrong} wrong, ${results.deadLettersLost} dead letters lost`,
    `${results.events} events published in ${results.seconds.toFixed(0)} s; instances ended: ${endings.join(', ')}`,
    broken.length === 0 ? 'The promise was kept.' : `BROKEN: ${broken.join(', ')}.`,
    `${results.date}, ${results.command}`,
  ].join('\n');
}
