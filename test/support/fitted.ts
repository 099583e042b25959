/** Emissions made to fit, for tests. */
import { expect } from '@jest/globals';
import {
  createMessageEncoder,
  type MessageEncoder,
  type WireFormat,
} from '../../src/events/message-encoder.ts';
import { createDeadLetterDecoder, decodeVerdict } from '../../src/events/index.ts';
import type { DeadLetter, Header, Verdict } from '../../src/events/types.generated.ts';
import { recordBytes, type OutgoingMessage } from '../../src/kafka/outgoing-message.ts';
import { fitEmission } from '../../src/producers/fit-emission.ts';
import { BATCH_OVERHEAD_BYTES } from '../../src/producers/message-bounds.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';

export const fitTopics = {
  verdicts: 'verdicts',
  routes: { block: 'blocked' },
  deadLetters: 'dead',
  embeddings: 'embeddings',
};

export interface FittedForTest {
  messages: readonly OutgoingMessage[];
  shrunk: readonly string[];
  /** Of the encoder. */
  errors: readonly unknown[];
  /** The verdict's message, and those of the dead letter and the embedding. */
  verdict: OutgoingMessage;
  others: readonly OutgoingMessage[];
  /** The verdict as a consumer reads it. */
  content: Verdict;
}

/** Makes the emission fit, and expects that it does. By default every topic takes 20 kB. */
export async function fitted(
  emission: Emission,
  options: { limit?: number; format?: WireFormat; encoder?: MessageEncoder } = {},
): Promise<FittedForTest> {
  const { limit = 20_000, format = 'json', encoder = createMessageEncoder({ format }) } = options;
  const errors: unknown[] = [];
  const { messages, shrunk } = await fitEmission(emission, {
    encoder,
    topics: fitTopics,
    limitOf: () => limit,
    onUnencodable: (error) => errors.push(error),
  });
  for (const { key, value, headers } of messages) {
    expect(recordBytes(key, value, headers)).toBeLessThanOrEqual(limit - BATCH_OVERHEAD_BYTES);
  }
  const [verdict, ...others] = messages;
  if (verdict === undefined) throw new Error('there is no verdict');
  return { messages, shrunk, errors, verdict, others, content: await decodeVerdict(verdict.value) };
}

export function letterIn(messages: readonly OutgoingMessage[]): Promise<DeadLetter> {
  const message = messages.find(({ topic }) => topic === fitTopics.deadLetters);
  return createDeadLetterDecoder().decode(message?.value ?? null);
}

export function textOf({ headers }: OutgoingMessage, name: string): string | undefined {
  return headers.find((header) => header.name === name)?.value?.toString();
}

/** A header with a value of so many bytes. */
export function aHeader(name: string, bytes: number): Header {
  return { name, value: Buffer.alloc(bytes, 'h') };
}
