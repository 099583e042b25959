/**
 * `moderato/events`: the message contracts for whoever publishes image events or consumes verdicts.
 *
 * ```ts
 * import { createVerdictDecoder } from 'moderato/events';
 *
 * const verdicts = createVerdictDecoder();
 * const verdict = await verdicts.decode(message.value);
 * if (verdict.outcome === 'block') takeDown(verdict.eventId);
 * ```
 */
import {
  createMessageDecoder,
  type DecoderOptions,
  type MessageDecoder,
} from './message-decoder.ts';
import { CONTRACTS } from './schemas.ts';
import type { DeadLetter, Embedding, Verdict } from './types.generated.ts';

export type * from './types.generated.ts';
export { AppError, type Disposition, type ErrorCode } from '../errors.ts';
export { DEAD_LETTER, EMBEDDING, IMAGE_EVENT, VERDICT } from './schemas.ts';
export { createEventDecoder, type EventDecoder } from './event-decoder.ts';
export type { DecoderOptions, MessageDecoder } from './message-decoder.ts';
export {
  createMessageEncoder,
  type EncodedMessage,
  type MessageEncoder,
  type MessageEncoderOptions,
  type WireFormat,
} from './message-encoder.ts';
export { originOf } from './origin.ts';
export { isRedriveNote } from './redrive-note.ts';
export { lostParts } from './shrunk.ts';
export type { SchemaId, SchemaRegistry, WriterSchema } from './schema-registry.ts';
export { createSchemaRegistry } from './http-schema-registry.ts';
export type { RegistryHttpOptions } from './registry-http.ts';
export { verdictId, type VerdictOrigin } from './verdict-id.ts';

/** Reads verdicts in any of the three encodings. Keep one: it remembers the registry's schemas. */
export function createVerdictDecoder(options: DecoderOptions = {}): MessageDecoder<Verdict> {
  return createMessageDecoder<Verdict>(CONTRACTS.verdict, options);
}

/** Reads dead letters, for redriving. */
export function createDeadLetterDecoder(options: DecoderOptions = {}): MessageDecoder<DeadLetter> {
  return createMessageDecoder<DeadLetter>(CONTRACTS.deadLetter, options);
}

/** Reads embeddings, for re-scoring without inference. */
export function createEmbeddingDecoder(options: DecoderOptions = {}): MessageDecoder<Embedding> {
  return createMessageDecoder<Embedding>(CONTRACTS.embedding, options);
}

const verdicts = createVerdictDecoder();

/**
 * One verdict in JSON or Avro single-object encoding; for Confluent wire format use `createVerdictDecoder`
 * with a registry. Throws what `MessageDecoder.decode` does.
 */
export function decodeVerdict(value: Buffer | null): Promise<Verdict> {
  return verdicts.decode(value);
}
