import { cloudEventHeaders, type CloudEvent } from '../events/cloud-events.ts';
import type { EncodedMessage } from '../events/message-encoder.ts';
import { recordBytes, type OutgoingMessage } from '../kafka/outgoing-message.ts';
import type { Draft, Step } from './draft.ts';
import { BATCH_OVERHEAD_BYTES } from './message-bounds.ts';

/** How one kind of message is made from its draft. */
export interface MessageKind<T> {
  topic: string;
  event: (content: T) => CloudEvent;
  encode: (content: T) => Promise<EncodedMessage>;
  /** A size that the encoded content has at least, in bytes, from its lengths alone. */
  leastBytes: (content: T) => number;
  /** The content with the names of the steps that left something out. */
  marked: (content: T, shrunk: readonly string[]) => T;
  /** In the order in which they are tried. */
  steps: ReadonlyArray<Step<T>>;
}

export interface Fitted {
  message: OutgoingMessage;
  /** The steps that it took, in order. */
  shrunk: readonly string[];
  /** False when the message is too large even after all steps. */
  fits: boolean;
}

interface Measured {
  /** Bytes beyond the room; at least, where there is no message. */
  excess: number;
  /** Absent where the lengths alone show that it is too large: encoding it would be a waste. */
  message?: OutgoingMessage;
}

/** The mark of a step makes the message longer. */
const MARK_BYTES = 64;

/**
 * The message of a draft, shrunk step by step until it fits `limit`, the topic's `max.message.bytes`. What fits is
 * encoded once. Throws what encoding throws.
 */
export async function fitMessage<T>(
  draft: Draft<T>,
  kind: MessageKind<T>,
  limit: number,
): Promise<Fitted> {
  const room = limit - BATCH_OVERHEAD_BYTES;
  let current = draft;
  let measured = await measure(current, kind, room);
  for (const step of kind.steps) {
    if (measured.excess <= 0) break;
    const next = step.apply(current, measured.excess + MARK_BYTES, room);
    if (next === current) continue;
    const { shrunk } = current;
    current = { ...next, shrunk: shrunk.includes(step.name) ? shrunk : [...shrunk, step.name] };
    measured = await measure(current, kind, room);
  }
  const message = measured.message ?? (await encode(current, kind));
  return { message, shrunk: current.shrunk, fits: measured.excess <= 0 };
}

async function measure<T>(draft: Draft<T>, kind: MessageKind<T>, room: number): Promise<Measured> {
  const { key, headers, content } = draft;
  const least = recordBytes(key, null, headers) + kind.leastBytes(content);
  if (least > room) return { excess: least - room };
  const message = await encode(draft, kind);
  return { excess: recordBytes(message.key, message.value, message.headers) - room, message };
}

async function encode<T>(draft: Draft<T>, kind: MessageKind<T>): Promise<OutgoingMessage> {
  const { key, partitionKey, headers, shrunk } = draft;
  const content = shrunk.length === 0 ? draft.content : kind.marked(draft.content, shrunk);
  const { value, contentType } = await kind.encode(content);
  return {
    topic: kind.topic,
    key,
    value,
    headers: cloudEventHeaders(kind.event(content), contentType, headers),
    ...(partitionKey && { partitionKey }),
  };
}
