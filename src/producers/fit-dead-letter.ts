import { hash } from 'node:crypto';
import { deadLetterCloudEvent } from '../events/cloud-events.ts';
import type { MessageEncoder } from '../events/message-encoder.ts';
import type { DeadLetter, Verdict } from '../events/types.generated.ts';
import { headerBytes } from '../kafka/outgoing-message.ts';
import { cutText, cutTexts } from './cut-text.ts';
import { encodableTime } from './dead-letter.ts';
import {
  HEADERS,
  LARGE_BYTES,
  LARGE_HEADERS,
  LARGE_KEY,
  keptHeaders,
  shed,
  withShortKey,
  type Draft,
  type Step,
} from './draft.ts';
import type { MessageKind } from './fit-message.ts';
import { SMALLEST_TEXT_BYTES } from './fit-verdict.ts';

const RECORD_VALUE: Step<DeadLetter> = { name: 'record-value', apply: withLessValue };

/** See docs/reliability.md, "Every record ends": the order is part of the promise. */
const STEPS: ReadonlyArray<Step<DeadLetter>> = [
  LARGE_HEADERS as Step<DeadLetter>,
  { name: 'texts', apply: withShortError },
  LARGE_KEY as Step<DeadLetter>,
  HEADERS as Step<DeadLetter>,
  { name: 'record-headers', apply: withFewerRecordHeaders },
  { name: 'record-key', apply: withShortRecordKey },
  RECORD_VALUE,
  RECORD_VALUE, // once more: what was too large to be encoded is measured only now
  { name: 'minimal', apply: minimal },
];

export function deadLetterKind(
  verdict: Verdict,
  encoder: MessageEncoder,
  topic: string,
): MessageKind<DeadLetter> {
  const { eventId } = verdict;
  const subjectOf = ({ shrunk }: DeadLetter): string | null =>
    eventId === null || shrunk.length === 0 ? eventId : cutText(eventId, SMALLEST_TEXT_BYTES);
  return {
    topic,
    event: (letter) => deadLetterCloudEvent(letter, { ...verdict, eventId: subjectOf(letter) }),
    encode: (letter) => encoder.encodeDeadLetter(letter, topic),
    leastBytes,
    marked: (letter, shrunk) => ({ ...letter, shrunk: [...shrunk] }),
    steps: STEPS,
  };
}

/** A dead letter made of what is known to be encodable, in place of one that is not: a defect of ours. */
export function encodableLetter(letter: DeadLetter): DeadLetter {
  return {
    ...letter,
    timestamp: encodableTime(letter.timestamp),
    failedAt: encodableTime(letter.failedAt),
    attempts: 1,
    headers: [],
    error: cutTexts(letter.error, SMALLEST_TEXT_BYTES),
  };
}

function leastBytes({ key, value, headers }: DeadLetter): number {
  const headersTotal = headers.reduce((sum, each) => sum + (each.value?.length ?? 0), 0);
  return (key?.length ?? 0) + (value?.length ?? 0) + headersTotal;
}

function withShortError(draft: Draft<DeadLetter>): Draft<DeadLetter> {
  const { content } = draft;
  const error = cutTexts(content.error, LARGE_BYTES);
  return error.message === content.error.message
    ? draft
    : { ...draft, content: { ...content, error } };
}

/** Leaves out the largest, until the others take no more than a quarter of the room. */
function withFewerRecordHeaders(
  draft: Draft<DeadLetter>,
  excess: number,
  room: number,
): Draft<DeadLetter> {
  const { headers } = draft.content;
  const total = headers.reduce((sum, header) => sum + headerBytes(header), 0);
  const left = shed(headers, Math.min(excess, total - room / 4), headerBytes);
  return left === headers ? draft : { ...draft, content: { ...draft.content, headers: [...left] } };
}

function withShortRecordKey(draft: Draft<DeadLetter>): Draft<DeadLetter> {
  const { key } = draft.content;
  if (key === null || key.length <= LARGE_BYTES) return draft;
  return { ...draft, content: { ...draft.content, key: key.subarray(0, LARGE_BYTES) } };
}

function withLessValue(draft: Draft<DeadLetter>, excess: number): Draft<DeadLetter> {
  const { value } = draft.content;
  if (value === null || value.length === 0) return draft;
  const length = Math.max(0, value.length - Math.ceil(excess));
  return { ...draft, content: { ...draft.content, ...beginningOf(draft.content, length) } };
}

/** The first bytes of the value, with the length and the digest of the whole. */
function beginningOf(
  { value, valueBytes, valueSha256 }: DeadLetter,
  length: number,
): Partial<DeadLetter> {
  if (value === null || value.length <= length) return {};
  return {
    value: value.subarray(0, length),
    valueBytes: valueBytes ?? value.length,
    valueSha256: valueSha256 ?? hash('sha256', value),
  };
}

/** What identifies the record and its error, in less than `LEAST_LIMIT_BYTES` whatever the record was. */
function minimal(draft: Draft<DeadLetter>): Draft<DeadLetter> {
  const { content, headers } = draft;
  const smallest: DeadLetter = {
    ...content,
    ...beginningOf(content, 0),
    key: content.key?.subarray(0, SMALLEST_TEXT_BYTES) ?? null,
    headers: [],
    error: cutTexts(content.error, SMALLEST_TEXT_BYTES),
  };
  const short = withShortKey(draft, SMALLEST_TEXT_BYTES);
  return { ...short, content: smallest, headers: keptHeaders(headers) };
}
