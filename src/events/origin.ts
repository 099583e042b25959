import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Header, InputPosition } from './types.generated.ts';

/** Of a redriven record: where the very first record of its event lay, `<topic>/<partition>/<offset>`. */
export const ORIGIN_HEADER = 'moderato-origin';
/** Of a redriven record: how often it was tried before. */
export const ATTEMPTS_HEADER = 'moderato-attempts';
/** Of a redriven record: the proof of both, see `originMac`. */
export const ORIGIN_MAC_HEADER = 'moderato-origin-mac';

const OURS: ReadonlySet<string> = new Set([ORIGIN_HEADER, ATTEMPTS_HEADER, ORIGIN_MAC_HEADER]);
const ORIGIN = /^([a-zA-Z0-9._-]{1,249})\/(0|[1-9]\d{0,9})\/(0|[1-9]\d{0,15})$/;
const COUNT = /^[1-9]\d{0,9}$/;
const MAC = /^[0-9a-f]{64}$/;
const MAX_INT = 2 ** 31 - 1;
const MAC_VERSION = 'moderato-origin-v1';

/** The parts of a record that its origin follows from. */
export interface OriginatedRecord extends InputPosition {
  key: Buffer | null;
  value: Buffer | null;
  headers: readonly Header[];
}

/** What the headers of a record say about its origin, whoever wrote them. */
export interface OriginClaim {
  origin: InputPosition;
  attempts: number;
  /** True when `moderato-origin-mac` shows that a holder of the redrive key wrote it for this very record. */
  isProven: boolean;
}

/**
 * Where the event was published first: what the headers of a redriven record say where they are proven by
 * `redriveKey`, else the record's own position. Any publisher can write these headers, so without a key none is
 * believed.
 */
export function originOf(record: OriginatedRecord, redriveKey?: string): InputPosition {
  const { topic, partition, offset } = record;
  const claim = originClaim(record, redriveKey);
  return claim?.isProven ? claim.origin : { topic, partition, offset };
}

/** Undefined where there is no origin header, and where one is malformed or repeated. */
export function originClaim(
  record: Omit<OriginatedRecord, 'partition' | 'offset'>,
  redriveKey?: string,
): OriginClaim | undefined {
  const { topic, key, value, headers } = record;
  const origin = parseOrigin(onlyText(headers, ORIGIN_HEADER));
  if (origin === undefined) return undefined;
  const attempts = attemptsBefore(headers);
  const mac = onlyText(headers, ORIGIN_MAC_HEADER);
  const isProven =
    redriveKey !== undefined &&
    mac !== undefined &&
    MAC.test(mac) &&
    timingSafeEqual(
      Buffer.from(mac, 'hex'),
      originMac({ topic, key, value, origin, attempts }, redriveKey),
    );
  return { origin, attempts, isProven };
}

/** How often the record was tried before; 0 where no header of a redriven record says so. Never proven: a number to read. */
export function attemptsBefore(headers: readonly Header[]): number {
  const text = onlyText(headers, ATTEMPTS_HEADER);
  if (text === undefined || !COUNT.test(text)) return 0;
  return Number(text) < MAX_INT ? Number(text) : 0;
}

export interface RedrivenRecord {
  /** Where the record is published again. */
  topic: string;
  key: Buffer | null;
  value: Buffer | null;
  origin: InputPosition;
  attempts: number;
}

/** The headers of the record once more, with its origin and its attempts in place of what they said of them. */
export function redrivenHeaders(
  headers: readonly Header[],
  record: RedrivenRecord,
  redriveKey?: string,
): Header[] {
  const header = (name: string, text: string): Header => ({ name, value: Buffer.from(text) });
  return [
    ...headers.filter(({ name }) => !OURS.has(name)),
    header(ORIGIN_HEADER, originText(record.origin)),
    header(ATTEMPTS_HEADER, `${record.attempts}`),
    ...(redriveKey === undefined
      ? []
      : [header(ORIGIN_MAC_HEADER, originMac(record, redriveKey).toString('hex'))]),
  ];
}

/**
 * HMAC-SHA256 (RFC 2104) over the topic that the record is published to, its origin, its attempts, and the SHA-256 of
 * its key and its value; a null key or value has no digest. So the proof is of no use for another event or topic.
 */
function originMac(record: RedrivenRecord, redriveKey: string): Buffer {
  const { topic, key, value, origin, attempts } = record;
  const parts = [
    MAC_VERSION,
    topic,
    originText(origin),
    attempts,
    key && hash('sha256', key),
    value && hash('sha256', value),
  ];
  return createHmac('sha256', redriveKey).update(JSON.stringify(parts)).digest();
}

/** `<topic>/<partition>/<offset>` */
export function originText({ topic, partition, offset }: InputPosition): string {
  return `${topic}/${partition}/${offset}`;
}

/** The position in `<topic>/<partition>/<offset>`; undefined for any other text. */
export function parseOrigin(text: string | undefined): InputPosition | undefined {
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
