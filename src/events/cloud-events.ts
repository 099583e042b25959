import type { DeadLetter, Header, Verdict } from './types.generated.ts';

/** The context attributes of CloudEvents 1.0 that Moderato sets. */
export interface CloudEvent {
  /** With `source` unique for each distinct event: a redelivered duplicate has the same. */
  id: string;
  type: string;
  source: string;
  subject: string | null;
  /** Milliseconds since the epoch. */
  time: number;
}

export function verdictCloudEvent(verdict: Verdict): CloudEvent {
  return {
    id: verdict.verdictId,
    type: 'moderato.verdict.v1',
    source: sourceOf(verdict.input.topic),
    subject: verdict.eventId,
    time: verdict.decidedAt,
  };
}

/** Of the dead letter that was written along with `verdict`. */
export function deadLetterCloudEvent(deadLetter: DeadLetter, verdict: Verdict): CloudEvent {
  return {
    id: `${verdict.verdictId}.dead-letter`,
    type: 'moderato.dead-letter.v1',
    source: sourceOf(deadLetter.topic),
    subject: verdict.eventId,
    time: deadLetter.failedAt,
  };
}

/** Of the embedding that was written along with `verdict`. */
export function embeddingCloudEvent(verdict: Verdict): CloudEvent {
  return {
    ...verdictCloudEvent(verdict),
    id: `${verdict.verdictId}.embedding`,
    type: 'moderato.embedding.v1',
  };
}

/** A URI reference; the same for every instance, since instances are interchangeable. */
function sourceOf(inputTopic: string): string {
  return `/moderato/${inputTopic}`;
}

const SPEC_VERSION: Header = { name: 'ce_specversion', value: Buffer.from('1.0') };

/** What a CloudEvents string must not hold: control characters (and lone surrogates, replaced before). */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f]/;

/** Headers that describe the input's value: its event, its encoding and its writer's schema. */
const OF_THE_INPUT = /^(ce_.*|content-type|__value_schema_id|apicurio\.value\..*)$/is;

/**
 * The headers of a message in the binary content mode of the Kafka protocol binding (CloudEvents 1.0).
 * Carried-over headers stay in their order, but for those that describe the input's value: this is another one.
 * The trace goes on in `traceparent`.
 */
export function cloudEventHeaders(
  event: CloudEvent,
  contentType: string,
  carried: readonly Header[] = [],
): Header[] {
  const { id, type, source, subject, time } = event;
  const headers = carried.filter(({ name }) => !OF_THE_INPUT.test(name));
  const set = (name: string, value: string): void => {
    headers.push({ name, value: Buffer.from(value) });
  };
  headers.push(SPEC_VERSION);
  set('ce_id', id);
  set('ce_type', type);
  set('ce_source', source);
  set('ce_time', new Date(time).toISOString());
  set('content-type', contentType);
  if (subject !== null && subject !== '' && !FORBIDDEN.test(subject)) set('ce_subject', subject);
  return headers;
}
