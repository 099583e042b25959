/**
 * Notes in the dead-letter topic: a record without a value that says which dead letter was redriven, and where to. It
 * is written together with the redriven record, in one transaction.
 */
import { originText, parseOrigin } from './origin.ts';
import type { Header, InputPosition } from './types.generated.ts';

/** Its value is the position of the dead letter in its topic, `<partition>/<offset>`. */
export const REDRIVEN_HEADER = 'moderato-redriven';
/** Its value is the position of the redriven record, `<topic>/<partition>/<offset>`. */
export const REDRIVEN_TO_HEADER = 'moderato-redriven-to';

/** Where a dead letter lies in the dead-letter topic. */
export interface LetterPosition {
  partition: number;
  offset: number;
}

const POSITION = /^(0|[1-9]\d{0,9})\/(0|[1-9]\d{0,15})$/;

/** `<partition>/<offset>` */
export function positionText({ partition, offset }: LetterPosition): string {
  return `${partition}/${offset}`;
}

/** The position in `<partition>/<offset>`; undefined for any other text. */
export function parsePosition(text: string): LetterPosition | undefined {
  const [, partition, offset] = POSITION.exec(text) ?? [];
  if (partition === undefined || !Number.isSafeInteger(Number(offset))) return undefined;
  return { partition: Number(partition), offset: Number(offset) };
}

/** @param to - the position of the redriven record, where the broker has told it */
export function redriveNote(position: LetterPosition, to?: InputPosition): Header[] {
  const header = (name: string, text: string): Header => ({ name, value: Buffer.from(text) });
  return [
    header(REDRIVEN_HEADER, positionText(position)),
    ...(to ? [header(REDRIVEN_TO_HEADER, originText(to))] : []),
  ];
}

/** True for a record of the dead-letter topic that is a note and no dead letter: consumers skip it. */
export function isRedriveNote(record: {
  value: Buffer | null;
  headers: readonly Header[];
}): boolean {
  return record.value === null && record.headers.some(({ name }) => name === REDRIVEN_HEADER);
}

/** Which dead letter a note is about; undefined when it does not say so in our way. */
export function redrivenPosition(headers: readonly Header[]): LetterPosition | undefined {
  return parsePosition(textOf(headers, REDRIVEN_HEADER));
}

/** Where the redriven record of a note lies; undefined when it does not say so in our way. */
export function redrivenTo(headers: readonly Header[]): InputPosition | undefined {
  return parseOrigin(textOf(headers, REDRIVEN_TO_HEADER));
}

function textOf(headers: readonly Header[], wanted: string): string {
  return headers.find(({ name }) => name === wanted)?.value?.toString('latin1') ?? '';
}
