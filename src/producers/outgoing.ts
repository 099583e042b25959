import type { Message } from 'kafkajs';
import {
  cloudEventHeaders,
  deadLetterCloudEvent,
  embeddingCloudEvent,
  verdictCloudEvent,
  type CloudEvent,
} from '../events/cloud-events.ts';
import type { EncodedMessage, MessageEncoder } from '../events/message-encoder.ts';
import { kafkaHeaders, recordBytes } from './kafka-message.ts';
import { verdictTopic, type OutputTopics } from './topic-routes.ts';
import type { Emission } from './verdict-sink.ts';

/** One message on its way to one topic. */
export interface Outgoing {
  topic: string;
  message: Message;
  /** What it takes in a request, uncompressed, in bytes; a little more than the truth. */
  bytes: number;
}

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
  return {
    topic,
    message: { key, value, headers: kafkaHeaders(headers) },
    bytes: recordBytes(key, value, headers),
  };
}
