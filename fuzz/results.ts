import Table from 'cli-table3';
import type { FuzzOptions } from './options.ts';
import type { Session } from './session.ts';
import type { Remark, Tally } from './tally.ts';

/** Resident memory in MiB; `peak` is null where there is no /proc. */
export interface Memory {
  peak: number | null;
  bound: number;
}

export interface FuzzResults {
  options: FuzzOptions;
  session: Session;
  tally: Pick<Tally, 'counts' | 'costly' | 'overTime' | 'slowest'>;
  /** What a case may take at most, in ms. */
  maxMs: number;
  decoder: Memory;
  service: Memory;
  seconds: number;
  date: string;
}

const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff', 'none'];
const LISTED = 10;

/** What no image may bring about. */
export function brokenPromises({ session, tally, decoder, service }: FuzzResults): string[] {
  const { withoutOutcome, surplus, ending } = session;
  const over = (who: string, { peak, bound }: Memory): string[] =>
    peak !== null && peak > bound
      ? [`a ${who} took ${peak.toFixed(0)} MiB, over ${bound} MiB`]
      : [];
  return [
    ...(withoutOutcome.length > 0 ? [`${withoutOutcome.length} cases without outcome`] : []),
    ...(surplus.length > 0 ? [`${surplus.length} outcomes too many`] : []),
    ...(ending === 'exit 0' ? [] : [`the service ended: ${ending}`]),
    ...(tally.overTime.length > 0 ? [`${tally.overTime.length} cases over their time`] : []),
    ...over('decoder process', decoder),
    ...over('service', service),
  ];
}

export function exitCodeOf(results: FuzzResults): 0 | 1 {
  return brokenPromises(results).length === 0 ? 0 : 1;
}

export function renderResults(results: FuzzResults): string {
  const { session, tally, maxMs, decoder, service, options } = results;
  const { restarts, withoutOutcome } = session;
  const broken = brokenPromises(results);
  const causes = Object.entries(restarts ?? {}).map(([cause, times]) => `${cause} ${times}`);
  return [
    tableOf(tally.counts),
    `${session.cases} cases in ${results.seconds.toFixed(0)} s, ${withoutOutcome.length} without outcome`,
    `decoder processes replaced: ${restarts ? causes.join(', ') : 'the service could not tell'}`,
    `highest RSS of a decoder process: ${memoryOf(decoder)}; of the service: ${memoryOf(service)}`,
    `slowest case: ${tally.slowest ? describe(tally.slowest) : 'none'}; allowed are ${maxMs} ms`,
    ...listOf('took a decoder process with them', tally.costly, options),
    ...listOf('were over their time', tally.overTime, options),
    ...withoutOutcome.map(({ number, name }) => `WITHOUT OUTCOME: case ${number}, ${name}`),
    broken.length === 0 ? 'The promise was kept.' : `BROKEN: ${broken.join('; ')}.`,
    'The pipeline and the decoder processes are the real ones; Kafka is in memory, the model has random weights.',
    `${results.date}, node fuzz/run.ts --cases ${options.cases} --seed ${options.seed} --decoders ${options.decoders}`,
  ].join('\n');
}

function tableOf(counts: Tally['counts']): string {
  const table = new Table({
    head: ['outcome', ...FORMATS, 'all'],
    style: { head: [], border: [] },
    colAligns: ['left', ...FORMATS.map(() => 'right' as const), 'right'],
  });
  const sum = (of: Iterable<number>): number => [...of].reduce((total, each) => total + each, 0);
  for (const [code, formats] of [...counts].sort(([a], [b]) => a.localeCompare(b))) {
    const row = FORMATS.map((format) => formats.get(format) ?? '');
    table.push([code, ...row, sum(formats.values())]);
  }
  const columns = FORMATS.map((format) =>
    sum([...counts.values()].map((formats) => formats.get(format) ?? 0)),
  );
  table.push(['all', ...columns, sum(columns)]);
  return table.toString();
}

function memoryOf({ peak, bound }: Memory): string {
  return peak === null ? 'not known' : `${peak.toFixed(0)} MiB of ${bound} MiB`;
}

function describe({ number, name, code, ms }: Remark): string {
  return `${number} (${name}; ${code}, ${ms.toFixed(0)} ms)`;
}

function listOf(what: string, remarks: readonly Remark[], { seed }: FuzzOptions): string[] {
  if (remarks.length === 0) return [];
  const first = remarks.toSorted((a, b) => a.number - b.number).slice(0, LISTED);
  const which = remarks.length > LISTED ? `, the first ${LISTED}` : '';
  return [
    `${remarks.length} cases ${what}${which}; --seed ${seed} --case <number> repeats one:`,
    ...first.map((remark) => `  ${describe(remark)}`),
  ];
}
