import { verdictCloudEvent } from '../events/cloud-events.ts';
import type { MessageEncoder } from '../events/message-encoder.ts';
import { notFinite } from '../events/not-finite.ts';
import { VERDICT } from '../events/schemas.ts';
import type { Band, Verdict } from '../events/types.generated.ts';
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
import { verdictTopic, type OutputTopics } from './topic-routes.ts';

/** Of each text and of the key in the smallest message. */
export const SMALLEST_TEXT_BYTES = 128;

/** See docs/reliability.md, "Every record ends": the order is part of the promise. */
const STEPS: ReadonlyArray<Step<Verdict>> = [
  LARGE_HEADERS as Step<Verdict>,
  labelsStep(LARGE_BYTES),
  { name: 'texts', apply: withShortTexts },
  LARGE_KEY as Step<Verdict>,
  HEADERS as Step<Verdict>,
  labelsStep(0),
  { name: 'policies', apply: withDecisivePolicies },
  { name: 'minimal', apply: minimal },
];

export function verdictKind(
  verdict: Verdict,
  encoder: MessageEncoder,
  topics: OutputTopics,
): MessageKind<Verdict> {
  const topic = verdictTopic(topics, verdict.outcome);
  return {
    topic,
    event: verdictCloudEvent,
    encode: (content) => encoder.encodeVerdict(content, topic),
    leastBytes,
    marked: (content, shrunk) => ({ ...content, shrunk: [...shrunk] }),
    steps: STEPS,
  };
}

/** The verdict with U+FFFD for each lone surrogate in a text of the event: Avro would write them as invalid UTF-8. */
export function wellFormedVerdict(verdict: Verdict): Verdict {
  const { eventId, source, tenant, labels, reason } = verdict;
  const texts = [eventId, source, tenant, reason?.message, ...Object.entries(labels).flat()];
  return texts.every((text) => text?.isWellFormed() ?? true)
    ? verdict
    : cutTexts(verdict, Number.POSITIVE_INFINITY);
}

/** A verdict made of what is known to be encodable, in place of one that is not: a defect of ours. */
export function unencodableVerdict(verdict: Verdict, onError: Band): Verdict {
  const { verdictId, eventId, decidedAt, input, model, bundle } = verdict;
  return {
    verdictId,
    eventId,
    occurredAt: null,
    decidedAt: encodableTime(decidedAt),
    input,
    source: null,
    tenant: null,
    labels: {},
    outcome: 'not_inspected',
    reason: {
      code: 'emission_unencodable',
      message: 'the verdict could not be encoded: report it, with the error in the log',
      stage: 'emit',
      requested: onError,
    },
    policies: [],
    image: null,
    lists: [],
    reused: null,
    model,
    bundle,
    timings: { fetchMs: null, decodeMs: null, queueMs: null, inferMs: null, totalMs: 0 },
    shrunk: [],
  };
}

function leastBytes({ eventId, source, tenant, labels }: Verdict): number {
  let bytes = (eventId?.length ?? 0) + (source?.length ?? 0) + (tenant?.length ?? 0);
  for (const [name, value] of Object.entries(labels)) bytes += name.length + value.length;
  return bytes;
}

/** Leaves out labels of more than `above` bytes, the largest first, until the message fits. */
function labelsStep(above: number): Step<Verdict> {
  return {
    name: 'labels',
    apply: (draft, excess) => {
      const labels = Object.entries(draft.content.labels);
      const left = shed(labels, excess, ([name, value]) => {
        const bytes = Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
        return bytes > above ? bytes : 0;
      });
      if (left === labels) return draft;
      return { ...draft, content: { ...draft.content, labels: Object.fromEntries(left) } };
    },
  };
}

function withShortTexts(draft: Draft<Verdict>): Draft<Verdict> {
  const { labels, ...texts } = draft.content;
  const cut = cutTexts(texts, LARGE_BYTES);
  const isSame = JSON.stringify(cut) === JSON.stringify(texts);
  return isSame ? draft : { ...draft, content: { ...cut, labels } };
}

/** Keeps the results that the outcome follows from. */
function withDecisivePolicies(draft: Draft<Verdict>): Draft<Verdict> {
  const { content } = draft;
  assertFinite(content);
  const policies = content.policies.filter(
    ({ mode, band }) => mode === 'enforce' && band !== 'allow' && band === content.outcome,
  );
  const lists = content.lists.slice(0, 1);
  if (policies.length === content.policies.length && lists.length === content.lists.length) {
    return draft;
  }
  return { ...draft, content: { ...content, policies, lists } };
}

/** What identifies the record and its outcome, in less than `LEAST_LIMIT_BYTES` whatever the input was. */
function minimal(draft: Draft<Verdict>): Draft<Verdict> {
  const { content, headers } = draft;
  assertFinite(content);
  const { reason, image } = content;
  const smallest: Verdict = {
    ...content,
    source: null,
    tenant: null,
    labels: {},
    policies: [],
    lists: [],
    reused: null,
    reason: reason && cutTexts(reason, SMALLEST_TEXT_BYTES),
    image: image && cutTexts(image, SMALLEST_TEXT_BYTES),
    eventId: content.eventId === null ? null : cutText(content.eventId, SMALLEST_TEXT_BYTES),
    model: cutTexts(content.model, SMALLEST_TEXT_BYTES),
  };
  const short = withShortKey(draft, SMALLEST_TEXT_BYTES);
  return { ...short, content: smallest, headers: keptHeaders(headers) };
}

/** A result that is not a number is an error even where it is about to be left out. Throws TypeError. */
function assertFinite(verdict: Verdict): void {
  const at = notFinite(VERDICT, verdict);
  if (at !== null) throw new TypeError(`shrinking a verdict: not a finite number at ${at}`);
}
