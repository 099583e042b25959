/** Dead letters as text for a terminal. Pure: text in, text out. */
import type { LetterList, LetterSummary } from '../dead-letters/list.ts';
import type { RedrivePlan } from '../dead-letters/redrive-plan.ts';
import { incompleteText } from '../dead-letters/whole.ts';
import { originText } from '../events/origin.ts';
import { positionText } from '../events/redrive-note.ts';
import { printable } from './printable.ts';
import { drawn, painter, plainTable, plural, type RenderOptions } from './render.ts';

const MAX_KEY = 24;
const MAX_MESSAGE = 60;

/** The letters and their counts, without a line feed at the end. */
export function renderLetterList(
  { letters, counts }: LetterList,
  withRedriven: boolean,
  options: RenderOptions = {},
): string {
  const paint = painter(options);
  const table = plainTable(['left', 'left', 'left', 'left', 'right', 'left', 'left', 'left']);
  const head = ['position', 'failed at', 'code', 'stage', 'attempts', 'origin', 'key', 'message'];
  table.push(head.map((title) => paint('dim', title)));
  for (const letter of letters) {
    const { code, stage, attempts, origin, key, message, redriven } = letter;
    table.push([
      `${positionText(letter)}${redriven ? paint('green', ' redriven') : ''}`,
      timeText(letter.failedAt),
      code === null ? paint('yellow', 'undecodable') : paint('bold', printable(code)),
      stage === null ? '–' : printable(stage),
      attempts === null ? '–' : String(attempts),
      origin === null ? '–' : printable(originText(origin)),
      key === null ? '–' : shortened(bytesText(key), MAX_KEY),
      paint('dim', shortened(printable(message), MAX_MESSAGE)),
    ]);
  }
  const { total, redriven } = counts;
  const hidden = withRedriven || redriven === 0 ? '' : `; ${redriven} redriven already (--all)`;
  const listed = total > letters.length ? `, the newest ${letters.length} listed` : '';
  return [
    ...(letters.length > 0 ? [drawn(table), ''] : []),
    paint('bold', `${plural(total, 'dead letter')}${listed}${hidden}`),
    ...countLines({ ...counts.byCode, 'cannot be decoded': counts.undecodable }),
  ].join('\n');
}

/** What a redrive would do, without a line feed at the end. */
export function renderPlan(plan: RedrivePlan, options: RedriveRenderOptions): string {
  const paint = painter(options);
  const to = Object.entries(plan.byTopic).map(
    ([topic, count]) => `${count} to ${printable(topic)}`,
  );
  return [
    paint('bold', `would redrive ${plural(plan.total, 'dead letter')}`) +
      (to.length > 0 ? `: ${to.join(', ')}` : ''),
    ...countLines(plan.byCode),
    ...skipped(plan),
    ...identity(plan.total, options),
  ].join('\n');
}

/** What a redrive has done, without a line feed at the end. */
export function renderRedriven(
  plan: RedrivePlan,
  done: number,
  options: RedriveRenderOptions,
): string {
  const paint = painter(options);
  const failed = plan.total - done;
  return [
    paint('bold', `redrove ${plural(done, 'dead letter')}`),
    ...skipped(plan),
    ...identity(done, options),
    ...(failed > 0
      ? [
          paint(
            ['bold', 'red'],
            `failed: ${failed}; the command redrives what is left when it is run again`,
          ),
        ]
      : []),
  ].join('\n');
}

interface RedriveRenderOptions extends RenderOptions {
  /** Whether the origins of redriven records are proven by a key. */
  hasKey: boolean;
}

function identity(count: number, { hasKey }: RedriveRenderOptions): string[] {
  if (hasKey || count === 0) return [];
  return [
    'without MODERATO_REDRIVE_KEY: their verdicts have ids of their own, not those of the first records',
  ];
}

function skipped({ redrivenAlready, undecodable, incomplete, elsewhere }: RedrivePlan): string[] {
  return [
    ...(redrivenAlready > 0 ? [`skipped: ${redrivenAlready} redriven already`] : []),
    ...(undecodable > 0 ? [`skipped: ${undecodable} cannot be decoded`] : []),
    ...(elsewhere > 0
      ? [
          `skipped: ${elsewhere} of topics that are no lanes of topics.input; --topic says where to publish them`,
        ]
      : []),
    ...(incomplete.count > 0 ? [`skipped: ${incomplete.count} without their whole record`] : []),
    ...incomplete.first.map((letter) => `  ${printable(incompleteText(letter))}`),
  ];
}

function countLines(counts: Record<string, number>): string[] {
  const present = Object.entries(counts).filter(([, count]) => count > 0);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, count]) => `  ${printable(name).padEnd(width)} ${count}`);
}

/** As one line of JSON, with bytes in base64 and times in ms. */
export function letterJson(letter: LetterSummary): string {
  return JSON.stringify(inBase64(letter));
}

/** A copy with all bytes in base64. */
export function inBase64(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value)) return value.map(inBase64);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inBase64(each)]));
}

/** `2026-11-23 16:00:00Z`; the number itself where no calendar reaches. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return `${ms} ms`;
  return date.toISOString().replace('T', ' ').replace(/\.\d+/, '');
}

/** Bytes as the text that they are, else in hex. */
export function bytesText(bytes: Buffer): string {
  try {
    return printable(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return `0x${bytes.toString('hex')}`;
  }
}

export function shortened(text: string, max: number): string {
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}
