import Table from 'cli-table3';
import { highestServiceMiB, MAX_SERVICE_MIB, unsteady, type Results, type Row } from './results.ts';
import type { Usage } from './process-watch.ts';
import type { Spread } from './statistics.ts';
import { faultLines, latencyTable, scoringTable, targetTable, trendTable } from './study-tables.ts';

/** All results, for a person. */
export function renderResults(results: Results): string {
  const { machine, options } = results;
  return [
    headlines(results),
    mainTable(results),
    scoringTable(results),
    latencyTable(results),
    trendTable(results),
    backlogTable(results),
    faultLines(results),
    memoryVerdict(results),
    targetTable(results),
    noiseWarning(results),
    [
      `Images:  ${results.photos}.`,
      `Rounds:  ${options.rounds} of ${options.events} events each, after ${options.warmUp} that warm up; the median, and the lowest and highest in brackets.`,
      `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.os}; Node ${machine.node}; ${machine.date}.`,
      `Command: ${results.command}`,
    ].join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function headlines({ rows, ratios }: Results): string {
  const titleOf = (name: string): string => rows.find((row) => row.name === name)?.title ?? name;
  return ratios
    .map(({ of, over, ratio }) => `${titleOf(of)}: ${factor(ratio)} × ${titleOf(over)}`)
    .join('\n');
}

function factor({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function mainTable({ rows, ratios }: Results): string {
  if (rows.length === 0) return '';
  const table = new Table({
    head: [
      '',
      'events/s',
      'from the start',
      'service is',
      'CPU s for 1,000 events',
      'highest RSS, MiB',
    ],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'left', 'left'],
  });
  for (const row of rows) {
    const ratio = ratios.find(({ of, over }) => of === 'service' && over === row.name)?.ratio;
    const compared = ratio ? `${ratio.median.toFixed(2)} ×` : '';
    table.push(
      row.fault === null
        ? [
            row.title,
            speed(row.rate),
            speed(row.rateSinceStart),
            compared,
            cpu(row),
            rss(row.usage),
          ]
        : [row.title, { colSpan: 5, content: `not measured: ${row.fault}` }],
    );
  }
  return table.toString();
}

function speed(rate: Spread | null): string {
  if (rate === null) return '';
  return `${rate.median.toFixed(0)} (${rate.min.toFixed(0)}–${rate.max.toFixed(0)})`;
}

function cpu({ usage }: Row): string {
  return lines(usage, ({ cpuPer1000 }) => cpuPer1000.toFixed(cpuPer1000 < 1 ? 3 : 1));
}

function rss(usage: Record<string, Usage>): string {
  return lines(usage, ({ peakMiB, processes }) =>
    processes > 1 ? `${peakMiB.toFixed(0)} each of ${processes}` : peakMiB.toFixed(0),
  );
}

function lines(usage: Record<string, Usage>, show: (usage: Usage) => string): string {
  return Object.entries(usage)
    .map(([role, used]) => `${role} ${show(used)}`)
    .join('\n');
}

function backlogTable({ backlogs }: Results): string {
  if (backlogs.length === 0) return '';
  const table = new Table({
    head: ['events waiting', 'events/s', 'highest RSS, MiB'],
    style: { head: [], border: [] },
    colAligns: ['right', 'right', 'left'],
  });
  for (const { events, rate, usage } of backlogs) {
    table.push([events.toLocaleString('en'), rate.toFixed(0), rss(usage)]);
  }
  return `Memory over Kafka, by the backlog:\n${table.toString()}`;
}

/** Over every run of the service, since one that exceeds the limit is one too many. */
function memoryVerdict(results: Results): string {
  const highest = highestServiceMiB(results);
  if (highest === null) return '';
  const verdict = highest < MAX_SERVICE_MIB ? 'within' : 'OVER';
  return `Highest RSS of the service in any run: ${highest.toFixed(0)} MiB, ${verdict} its limit of ${MAX_SERVICE_MIB} MiB.`;
}

function noiseWarning({ rows }: Results): string {
  const titles = unsteady(rows).map(({ title }) => title);
  if (titles.length === 0) return '';
  return `The rounds differ by more than a quarter, so something else used the machine: ${titles.join('; ')}.\nDo not quote these figures; run again on an idle machine.`;
}
