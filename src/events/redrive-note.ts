/**
 * Notes in the dead-letter topic: a record without a value that says which dead letter was redriven. It is written
 * together with the redriven record, in one transaction.
 */
import type { Header } from './types.generated.ts';

/** Its value is the position of the dead letter in its topic, `<partition>/<offset>`. */
export const REDRIVEN_HEADER = 'moderato-redriven';

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

export function redriveNote(position: LetterPosition): Header {
  return { name: REDRIVEN_HEADER, value: Buffer.from(positionText(position)) };
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
  const header = headers.find(({ name }) => name === REDRIVEN_HEADER);
  return parsePosition(header?.value?.toString('latin1') ?? '');
}
