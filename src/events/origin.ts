import type { Header, InputPosition } from './types.generated.ts';

/** Of a redriven record: where the very first record of its event lay, `<topic>/<partition>/<offset>`. */
export const ORIGIN_HEADER = 'moderato-origin';
/** Of a redriven record: how often it was tried before. */
export const ATTEMPTS_HEADER = 'moderato-attempts';

const ORIGIN = /^([a-zA-Z0-9._-]{1,249})\/(0|[1-9]\d{0,9})\/(0|[1-9]\d{0,15})$/;
const COUNT = /^[1-9]\d{0,9}$/;
const MAX_INT = 2 ** 31 - 1;

/** What tells a record's origin. */
export interface OriginatedRecord extends InputPosition {
  headers: readonly Header[];
}

/**
 * Where the event was published first: what the header of a redriven record says, else the record's own position.
 * A header that is malformed or repeated says nothing.
 */
export function originOf({ topic, partition, offset, headers }: OriginatedRecord): InputPosition {
  return parseOrigin(onlyText(headers, ORIGIN_HEADER)) ?? { topic, partition, offset };
}

/** How often the record was tried before; 0 where no header of a redriven record says so. */
export function attemptsBefore(headers: readonly Header[]): number {
  const text = onlyText(headers, ATTEMPTS_HEADER);
  if (text === undefined || !COUNT.test(text)) return 0;
  return Number(text) < MAX_INT ? Number(text) : 0;
}

/** The headers of the record once more, with its origin and its attempts in place of what they said of them. */
export function redrivenHeaders(
  headers: readonly Header[],
  origin: InputPosition,
  attempts: number,
): Header[] {
  return [
    ...headers.filter(({ name }) => name !== ORIGIN_HEADER && name !== ATTEMPTS_HEADER),
    { name: ORIGIN_HEADER, value: Buffer.from(originText(origin)) },
    { name: ATTEMPTS_HEADER, value: Buffer.from(`${attempts}`) },
  ];
}

/** `<topic>/<partition>/<offset>` */
export function originText({ topic, partition, offset }: InputPosition): string {
  return `${topic}/${partition}/${offset}`;
}

function parseOrigin(text: string | undefined): InputPosition | undefined {
  const [, topic, partition, offset] = ORIGIN.exec(text ?? '') ?? [];
  if (topic === undefined) return undefined;
  const origin = { topic, partition: Number(partition), offset: Number(offset) };
  return origin.partition <= MAX_INT && Number.isSafeInteger(origin.offset) ? origin : undefined;
}

/** The value of the one header of that name; undefined where there is none, or several. */
function onlyText(headers: readonly Header[], name: string): string | undefined {
  const [header, second] = headers.filter((each) => each.name === name);
  return second ? undefined : header?.value?.toString('latin1');
}
