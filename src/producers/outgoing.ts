import type { IHeaders, Message } from 'kafkajs';
import {
  cloudEventHeaders,
  deadLetterCloudEvent,
  embeddingCloudEvent,
  verdictCloudEvent,
  type CloudEvent,
} from '../events/cloud-events.ts';
import type { EncodedMessage, MessageEncoder } from '../events/message-encoder.ts';
import type { Header } from '../events/types.generated.ts';
import { verdictTopic, type OutputTopics } from './topic-routes.ts';
import type { Emission } from './verdict-sink.ts';

/** One message on its way to one topic. */
export interface Outgoing {
  topic: string;
  message: Message;
  /** What it takes in a request, uncompressed, in bytes; a little more than the truth. */
  bytes: number;
}

/** A record's and a header's own lengths, offsets and flags, at most. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;

/**
 * All messages of one emission, encoded and addressed; an embedding only where there is a topic for it.
 * Throws what `MessageEncoder` throws.
 */
export async function outgoingMessages(
  emission: Emission,
  encoder: MessageEncoder,
  topics: OutputTopics,
): Promise<Outgoing[]> {
  const { verdict, deadLetter, embedding } = emission;
  const post = async (
    topic: string,
    event: CloudEvent,
    encode: (topic: string) => Promise<EncodedMessage>,
  ): Promise<Outgoing> => address(topic, event, await encode(topic), emission);

  const parts = [
    post(verdictTopic(topics, verdict.outcome), verdictCloudEvent(verdict), (topic) =>
      encoder.encodeVerdict(verdict, topic),
    ),
  ];
  if (deadLetter) {
    parts.push(
      post(topics.deadLetters, deadLetterCloudEvent(deadLetter, verdict), (topic) =>
        encoder.encodeDeadLetter(deadLetter, topic),
      ),
    );
  }
  if (embedding && topics.embeddings !== undefined) {
    parts.push(
      post(topics.embeddings, embeddingCloudEvent(verdict), (topic) =>
        encoder.encodeEmbedding(embedding, topic),
      ),
    );
  }
  return Promise.all(parts);
}

function address(
  topic: string,
  event: CloudEvent,
  { value, contentType }: EncodedMessage,
  { key, headers: carried }: Emission,
): Outgoing {
  const headers = cloudEventHeaders(event, contentType, carried);
  const headerBytes = headers.reduce(
    (sum, header) =>
      sum + Buffer.byteLength(header.name) + (header.value?.length ?? 0) + HEADER_OVERHEAD_BYTES,
    0,
  );
  return {
    topic,
    message: { key, value, headers: kafkaHeaders(headers) },
    bytes: value.length + (key?.length ?? 0) + headerBytes + RECORD_OVERHEAD_BYTES,
  };
}

/**
 * kafkajs takes headers by name, with an array where a name repeats, and fails on null values: those are
 * written as empty ones.
 */
function kafkaHeaders(headers: readonly Header[]): IHeaders {
  const byName = new Map<string, Buffer[]>();
  for (const { name, value } of headers) {
    const values = byName.get(name) ?? [];
    values.push(value ?? Buffer.alloc(0));
    byName.set(name, values);
  }
  return Object.fromEntries(byName);
}
