/** A reconciliation's report as text for a terminal. Pure: text in, text out. */
import type { InputPosition } from '../events/types.generated.ts';
import type {
  Findings,
  FoundInput,
  FoundVerdict,
  OriginatedInput,
  ReconcileReport,
  VersionCount,
} from '../reconcile/report.ts';
import { printable } from './printable.ts';
import {
  drawn,
  painter,
  plainTable,
  plural,
  type Format,
  type Paint,
  type RenderOptions,
} from './render.ts';

type Row = [name: string, count: number, note: string];

/** The counts, what was found and the conclusion, without a line feed at the end. */
export function renderReconciliation(report: ReconcileReport, options: RenderOptions = {}): string {
  const paint = painter(options);
  return [
    paint('bold', titleOf(report)),
    ...emptyRanges(report),
    countTable(report, paint),
    ...sections(report, paint),
    conclusion(report, paint),
  ].join('\n\n');
}

function titleOf({ ranges, inputs }: ReconcileReport): string {
  const topic = ranges[0]?.topic ?? 'the topic';
  return `${topic}: ${plural(inputs, 'input')} in ${plural(ranges.length, 'partition')}`;
}

function emptyRanges({ ranges }: ReconcileReport): string[] {
  const empty = ranges.filter(({ from, to }) => from === to).map(({ partition }) => partition);
  if (empty.length === 0) return [];
  const which =
    empty.length === ranges.length ? 'every partition' : `partition ${empty.join(', ')}`;
  return [`Nothing in the range of ${which}.`];
}

function countTable(report: ReconcileReport, paint: Paint): string {
  const { missing, rejudged, versions } = report;
  const good: Row[] = [
    ['inputs', report.inputs, ''],
    ['verdicts', report.verdicts, ''],
    ...versions.map<Row>(({ verdicts, ...version }) => [
      '  by a version',
      verdicts,
      printable(versionText(version)),
    ]),
    ['duplicates', report.duplicates, 'harmless: the same answer once more'],
    [
      're-judged',
      rejudged.count,
      `harmless: by another version; ${rejudged.differing} with another outcome`,
    ],
    ['unknown', report.unknown.count, 'a verdict where there is no input'],
    ['outside', report.outside, 'verdicts before or after the range'],
    ['elsewhere', report.elsewhere, 'verdicts of other topics'],
    ['dead letters', report.deadLetters, ''],
    ['redriven', report.redriven, 'inputs that are redriven records'],
    ['unproven origin', report.unprovenOrigins.count, 'harmless: named in a header, not believed'],
  ];
  const faults: Row[] = [
    ['missing', missing.count, `no verdict; ${missing.uncommitted} not committed yet`],
    ['conflicting', report.conflicting.count, 'verdicts that contradict each other'],
    ['no dead letter', report.withoutDeadLetter.count, 'although the verdict promises one'],
    ['undecodable', report.undecodable.count, 'neither a verdict nor a dead letter'],
    [
      'wrong origin',
      report.wrongOrigins.count,
      'redriven records that come from nowhere, or twice',
    ],
    ['foreign id', report.foreignIds.count, 'verdicts under the id of another record'],
  ];
  const table = plainTable(['left', 'right', 'left']);
  for (const [name, count, note] of good) table.push([name, String(count), paint('dim', note)]);
  for (const [name, count, note] of faults) {
    const format: Format = count > 0 ? ['bold', 'red'] : 'dim';
    table.push([paint(format, name), paint(format, String(count)), paint('dim', note)]);
  }
  return drawn(table);
}

function sections(report: ReconcileReport, paint: Paint): string[] {
  const { missing, conflicting, withoutDeadLetter, undecodable, rejudged, unknown } = report;
  return [
    section(paint, 'Missing', missing, ({ input, committed }) => [
      `${positionOf(input)}${committed ? '' : paint('dim', '  not committed yet')}`,
    ]),
    section(paint, 'Conflicting', conflicting, inputLines),
    section(paint, 'Without their dead letter', withoutDeadLetter, inputLines),
    section(paint, 'Undecodable', undecodable, ({ at, error }) => [
      `${positionOf(at)}  ${printable(error)}`,
    ]),
    section(paint, 'Wrong origin', report.wrongOrigins, (found) => [
      `${originLine(found)}: ${found.why}`,
    ]),
    section(paint, 'Foreign id', report.foreignIds, ({ input, verdictId, at, belongsTo }) => [
      `${positionOf(input)}  ${printable(verdictId)} at ${positionOf(at)}${
        belongsTo ? `, the id of ${positionOf(belongsTo)}` : ''
      }`,
    ]),
    section(paint, 'Unproven origin', report.unprovenOrigins, (found) => [originLine(found)]),
    section(paint, 'Re-judged', rejudged, inputLines),
    section(paint, 'Unknown', unknown, inputLines),
  ].filter((text) => text !== '');
}

function section<T>(
  paint: Paint,
  title: string,
  { count, first }: Findings<T>,
  linesOf: (finding: T) => string[],
): string {
  if (first.length === 0) return '';
  const lines = first.flatMap(linesOf);
  const more = count - first.length;
  if (more > 0) lines.push(paint('dim', `and ${more} more`));
  return [paint('bold', title), ...lines.map((line) => `  ${line}`)].join('\n');
}

function inputLines({ input, verdicts }: FoundInput): string[] {
  return [positionOf(input), ...verdicts.map((verdict) => `  ${verdictLine(verdict)}`)];
}

function originLine({ input, origin, attempts }: OriginatedInput): string {
  return `${positionOf(input)} from ${positionOf(origin)} after ${plural(attempts, 'attempt')}`;
}

function verdictLine({ verdictId, outcome, at, ...version }: FoundVerdict): string {
  const by = printable(versionText(version));
  return `${printable(verdictId)} at ${positionOf(at)}  ${outcome}  ${by}`;
}

function versionText(version: Omit<VersionCount, 'verdicts'>): string {
  const { modelHash, bundleHash, preprocessing } = version;
  return `model ${modelHash.slice(0, 12)}, bundle ${bundleHash.slice(0, 12)}, ${preprocessing}`;
}

function positionOf({ topic, partition, offset }: InputPosition): string {
  return `${printable(topic)}/${partition}/${offset}`;
}

function conclusion(report: ReconcileReport, paint: Paint): string {
  if (report.proven) {
    const text =
      report.inputs === 0
        ? 'Nothing to prove: there are no inputs.'
        : 'Proven: every input has exactly one outcome.';
    return paint(['bold', 'green'], text);
  }
  const faults = [
    [report.missing.count, 'missing'],
    [report.conflicting.count, 'conflicting'],
    [report.withoutDeadLetter.count, 'without a dead letter'],
    [report.undecodable.count, 'undecodable'],
    [report.wrongOrigins.count, 'of a wrong origin'],
    [report.foreignIds.count, 'under a foreign id'],
  ] as const;
  const found = faults.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return paint(['bold', 'red'], `Not proven: ${found.join(', ')}.`);
}
