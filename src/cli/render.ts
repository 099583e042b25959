/**
 * Verdicts as text for a terminal. Pure: text in, text out; who prints it chooses the stream.
 */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { Outcome, PolicyResult, Verdict } from '../events/types.generated.ts';
import { decisiveMatch } from '../policies/decide.ts';
import {
  comparisonOf,
  decimal,
  decisiveResult,
  listText,
  placeText,
  OUTCOMES,
  OUTCOME_NAMES,
  scoreText,
  signed,
} from '../report/decisive.ts';
import { printable } from './printable.ts';

export interface RenderOptions {
  /**
   * The stream that the text is for.
   * @default process.stdout
   */
  stream?: NodeJS.WritableStream;
  /** @default whether `stream` is a terminal, and NO_COLOR and FORCE_COLOR */
  colour?: boolean;
}

export interface LineOptions extends RenderOptions {
  /** Names are padded to this many characters, so that what follows them is in line. @default 0 */
  nameWidth?: number;
}

export type Format = Parameters<typeof styleText>[0];
export type Paint = (format: Format, text: string) => string;

const TONES: Readonly<Record<Outcome, Format>> = {
  block: ['bold', 'red'],
  review: ['bold', 'yellow'],
  allow: ['green'],
  not_inspected: ['bold', 'magenta'],
};
const WIDEST_OUTCOME = Math.max(...OUTCOMES.map((outcome) => OUTCOME_NAMES[outcome].length));

/**
 * One line, without a line feed:
 * `BLOCK  motorcycle.jpg  motor-vehicles 0.98 ≥ 0.90  “a motorcycle” (+0.41 over “a bicycle”)`.
 */
export function renderVerdictLine(
  verdict: Verdict,
  name: string,
  options: LineOptions = {},
): string {
  const paint = painter(options);
  const outcome = OUTCOME_NAMES[verdict.outcome].toUpperCase().padEnd(WIDEST_OUTCOME);
  return [
    paint(TONES[verdict.outcome], outcome),
    printable(name).padEnd(options.nameWidth ?? 0),
    `${reasonOf(verdict, paint)}${verdict.image?.damaged ? paint('dim', ', damaged') : ''}`,
  ].join('  ');
}

function reasonOf(verdict: Verdict, paint: Paint): string {
  const { reason, outcome } = verdict;
  if (reason) {
    return `${reason.code}  ${paint('dim', printable(reason.message))}`;
  }
  const list = decisiveMatch(verdict.lists);
  if (list) return `on the ${printable(listText(list))}`;
  const result = decisiveResult(verdict);
  if (!result) return paint('dim', 'no enforced policy');
  const { sign, threshold } = comparisonOf(result);
  const prompt = `“${printable(result.prompt)}”`;
  if (outcome === 'allow') {
    const { suppressedBy } = result;
    const text = result.belowFloor
      ? `${result.id} ${scoreText(result.score)}, but ${cosineText(result)}`
      : suppressedBy !== null
        ? `${result.id} ${scoreText(result.score)}, but like one on the list “${printable(suppressedBy)}”`
        : `nearest: ${result.id} ${scoreText(result.score)} ${sign} ${scoreText(threshold)}`;
    return paint('dim', text);
  }
  const over =
    result.margin === null || result.contrast === null
      ? ''
      : paint('dim', ` (${signed(result.margin)} over “${printable(result.contrast)}”)`);
  const place = placeText(result, verdict);
  const where = place === null ? '' : `, ${place}`;
  return `${paint('bold', result.id)} ${scoreText(result.score)} ${sign} ${scoreText(threshold)}  ${prompt}${over}${where}`;
}

function cosineText({ prompt, cosine, cosineFloor }: PolicyResult): string {
  const text = `“${printable(prompt)}” is below the cosine floor`;
  return cosineFloor === null
    ? text
    : `${text} (${decimal(cosine, 2)} < ${decimal(cosineFloor, 2)})`;
}

/** Every image with all its policies' results, without a line feed at the end. */
export function renderVerdictTable(
  entries: ReadonlyArray<{ name: string; verdict: Verdict }>,
  options: RenderOptions = {},
): string {
  const paint = painter(options);
  return entries
    .map(({ name, verdict }) => {
      const line = renderVerdictLine(verdict, name, options);
      return verdict.policies.length === 0
        ? line
        : `${line}\n${policyTable(verdict.policies, paint)}\n`;
    })
    .join('\n')
    .trimEnd();
}

function policyTable(policies: readonly PolicyResult[], paint: Paint): string {
  const head = ['policy', 'score', 'review', 'block', 'nearest prompt', 'cosine', 'margin'];
  const table = plainTable(['left', 'right', 'right', 'right', 'left', 'right', 'left']);
  table.push(head.map((title) => paint('dim', title)));
  for (const result of policies) {
    const { thresholds, prompt, cosine, contrast, margin } = result;
    table.push([
      policyName(result, paint),
      paint(result.band === 'allow' ? 'dim' : TONES[result.band], scoreText(result.score)),
      scoreText(thresholds.review),
      thresholds.block === null ? '–' : scoreText(thresholds.block),
      `“${printable(prompt)}”`,
      decimal(cosine, 2),
      margin === null || contrast === null
        ? '–'
        : paint('dim', `${signed(margin)} over “${printable(contrast)}”`),
    ]);
  }
  return drawn(table);
}

function policyName({ id, mode, belowFloor, suppressedBy }: PolicyResult, paint: Paint): string {
  const notes = [
    mode === 'shadow' ? 'shadow' : null,
    belowFloor ? 'below floor' : null,
    suppressedBy === null ? null : `suppressed by ${printable(suppressedBy)}`,
  ];
  const note = notes.filter((each) => each !== null).join(', ');
  return note === '' ? id : `${id} ${paint('dim', `(${note})`)}`;
}

const NO_BORDERS = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('middle')
    .map((part) => [part, '']),
);

/** A table without borders, to be pushed to and then `drawn`. */
export function plainTable(colAligns: Array<'left' | 'right'>): Table.Table {
  return new Table({
    style: { head: [], border: [], compact: true, 'padding-left': 2, 'padding-right': 0 },
    colAligns,
    chars: NO_BORDERS,
  });
}

export function drawn(table: Table.Table): string {
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

export interface Summary {
  verdicts: readonly Verdict[];
  /** From the first to the last, in ms. */
  elapsedMs: number;
}

/** Counts by outcome, each with its policies or reason codes, and the time; no line feed at the end. */
export function renderSummary(
  { verdicts, elapsedMs }: Summary,
  options: RenderOptions = {},
): string {
  const paint = painter(options);
  const seconds = elapsedMs / 1000;
  const rate = seconds > 0 ? `, ${(verdicts.length / seconds).toFixed(0)} images/s` : '';
  const title = `${plural(verdicts.length, 'verdict')} in ${seconds.toFixed(1)} s${rate}`;
  const outcomes = OUTCOMES.map((outcome) => {
    const count = verdicts.filter((verdict) => verdict.outcome === outcome).length;
    const name = OUTCOME_NAMES[outcome].toLowerCase().padEnd(WIDEST_OUTCOME);
    const text = `${name} ${String(count).padStart(6)}`;
    return `  ${count > 0 ? paint(TONES[outcome], text) : paint('dim', text)}${causes(verdicts, outcome, paint)}`;
  });
  return [paint('bold', title), ...outcomes].join('\n');
}

/** What made this outcome: the policies that asked for it, or the codes of what went wrong. */
function causes(verdicts: readonly Verdict[], outcome: Outcome, paint: Paint): string {
  const names = verdicts
    .filter((verdict) => verdict.outcome === outcome)
    .flatMap(({ reason, policies }) =>
      reason
        ? [reason.code]
        : policies
            .filter(({ mode, band }) => mode === 'enforce' && band === outcome && band !== 'allow')
            .map(({ id }) => id),
    );
  const counts = Map.groupBy(names, (name) => name);
  const list = [...counts]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([name, { length }]) => `${name} ${length}`);
  return list.length === 0 ? '' : `  ${paint('dim', list.join(', '))}`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function painter({ colour, stream = process.stdout }: RenderOptions): Paint {
  if (colour === false) return (_, text) => text;
  if (colour === true) return (format, text) => styleText(format, text, { validateStream: false });
  return (format, text) => styleText(format, text, { stream });
}
