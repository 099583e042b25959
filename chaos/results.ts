import Table from 'cli-table3';
import type { ChaosOptions } from './options.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './schedule.ts';

export interface Struck {
  kind: FaultKind;
  /** From the strike until every partition with work had moved on, in ms; Infinity when it was given up. */
  recoveryMs: number;
}

/** What was found in the topics afterwards. */
export interface Proof {
  /** Records that the input topic holds. */
  inputs: number;
  verdicts: number;
  lost: number;
  duplicates: number;
  conflicting: number;
  /** Verdicts of positions that hold no input. */
  unknown: number;
  undecodable: number;
  deadLetters: number;
  lostDeadLetters: number;
  duplicateDeadLetters: number;
  /** Verdicts that say another thing than their picture demands. */
  wrong: number;
  /** Records that were quarantined: no record of the suite kills its process, so each of them is a mistake. */
  quarantined: number;
}

export interface ChaosResults extends Proof {
  options: ChaosOptions;
  /** As drawn from the seed. */
  schedule: readonly Fault[];
  struck: Struck[];
  /** That were published and acknowledged. */
  events: number;
  /** How instances ended, and how often. */
  endings: Record<string, number>;
  seconds: number;
  date: string;
  command: string;
}

/** What the promise that was tested does not allow. */
export function brokenPromises(results: ChaosResults): string[] {
  const { lost, conflicting, unknown, undecodable, lostDeadLetters, wrong, quarantined, options } =
    results;
  const { duplicates, duplicateDeadLetters } = results;
  const never = {
    lost,
    conflicting,
    unknown,
    undecodable,
    wrong,
    'good records quarantined': quarantined,
    'dead letters lost': lostDeadLetters,
  };
  const once = { duplicates, 'duplicate dead letters': duplicateDeadLetters };
  const forbidden = options.delivery === 'exactly-once' ? { ...never, ...once } : never;
  return Object.entries(forbidden).flatMap(([what, count]) =>
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
    const seconds = (part: number): string => inSeconds(percentile(times, part));
    table.push([kind ?? 'all', times.length, seconds(0.5), seconds(0.99), seconds(1)]);
  }
  const broken = brokenPromises(results);
  const endings = Object.entries(results.endings).map(([how, times]) => `${how} ${times} times`);
  const { options, inputs, verdicts, deadLetters } = results;
  return [
    table.toString(),
    `${options.delivery}: ${results.events} events published in ${results.seconds.toFixed(0)} s, ${inputs} inputs`,
    `${verdicts} verdicts: ${results.lost} lost, ${results.duplicates} duplicates, ` +
      `${results.conflicting} conflicting, ${results.wrong} wrong, ${results.quarantined} quarantined`,
    `${deadLetters} dead letters: ${results.lostDeadLetters} lost, ${results.duplicateDeadLetters} duplicates`,
    `${options.instances} instances ended: ${endings.join(', ')}`,
    broken.length === 0 ? 'The promise was kept.' : `BROKEN: ${broken.join(', ')}.`,
    'Every part of the service is the real one, but for its image store, which is files that go away on demand.',
    'The model is a CLIP export with random weights, so its verdicts mean nothing.',
    'A seed draws the same faults in the same order; when exactly they strike differs from run to run.',
    `${results.date}, ${results.command}`,
  ].join('\n');
}

function inSeconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : 'given up';
}
