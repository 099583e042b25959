/**
 * An emission is made to fit its topics before anything of it is sent: each message is shrunk by stated steps until
 * it fits (docs/reliability.md, "Every record ends").
 */
import { AppError } from '../errors.ts';
import type { MessageEncoder } from '../events/message-encoder.ts';
import type { OutgoingMessage } from '../kafka/outgoing-message.ts';
import type { Draft } from './draft.ts';
import { deadLetterKind, encodableLetter } from './fit-dead-letter.ts';
import { OTHERS_STEP, embeddingKind } from './fit-embedding.ts';
import { fitMessage, type Fitted, type MessageKind } from './fit-message.ts';
import { unencodableVerdict, verdictKind, wellFormedVerdict } from './fit-verdict.ts';
import type { OutputTopics } from './topic-routes.ts';
import type { Emission } from './verdict-sink.ts';

export interface FitOptions {
  encoder: MessageEncoder;
  topics: OutputTopics;
  /** The `max.message.bytes` of a topic. */
  limitOf: (topic: string) => number;
  /** Called with an error of the encoder; the message is then replaced by one that is known to be encodable. */
  onUnencodable?: (error: unknown) => void;
}

export interface FittedEmission {
  /** The verdict, the dead letter, the embedding, as far as there are any, encoded and addressed. */
  messages: OutgoingMessage[];
  /** The steps that left something out of any of them, each once; empty: everything is as it was. */
  shrunk: string[];
}

/**
 * The messages of one emission, an embedding only where there is a topic for it. They fit their topics where those
 * allow `LEAST_LIMIT_BYTES`; a smaller limit gets the smallest message there is.
 *
 * Throws the AppErrors that `MessageEncoder` throws. Its other errors are passed to `onUnencodable`: the verdict is
 * then `not_inspected` with the reason `emission_unencodable`.
 */
export async function fitEmission(
  emission: Emission,
  options: FitOptions,
): Promise<FittedEmission> {
  const { deadLetter } = emission;
  const embedding = await fitEmbedding(emission, options);
  const letter = deadLetter && (await fitDeadLetter(emission, deadLetter, options));
  const told = await fitVerdict(emission, embedding.missing, options);
  const messages = [told.message, letter?.message, embedding.fitted?.message];
  const steps = [...told.shrunk, ...(letter?.shrunk ?? []), ...(embedding.fitted?.shrunk ?? [])];
  return {
    messages: messages.filter((message) => message !== undefined),
    shrunk: [...new Set(steps)],
  };
}

async function fitVerdict(
  emission: Emission,
  missing: readonly string[],
  options: FitOptions,
): Promise<Fitted> {
  const { onError = 'review' } = emission;
  const { encoder, topics } = options;
  const verdict = wellFormedVerdict(emission.verdict);
  const draft = draftOf(emission, verdict, missing);
  return orElse(
    () => fit(draft, verdictKind(verdict, encoder, topics), options),
    () => {
      const content = unencodableVerdict(verdict, onError);
      const replaced = { ...draft, content, shrunk: [...missing, 'minimal'] };
      return fit(replaced, verdictKind(content, encoder, topics), options);
    },
    options,
  );
}

async function fitDeadLetter(
  emission: Emission,
  deadLetter: NonNullable<Emission['deadLetter']>,
  options: FitOptions,
): Promise<Fitted> {
  const kind = deadLetterKind(emission.verdict, options.encoder, options.topics.deadLetters);
  return orElse(
    () => fit(draftOf(emission, deadLetter), kind, options),
    () => {
      const draft = draftOf(emission, encodableLetter(deadLetter), ['record-headers']);
      return fit(draft, kind, options);
    },
    options,
  );
}

/** The embedding's message, if it has one, and which of the embeddings the verdict is to report as missing. */
async function fitEmbedding(
  emission: Emission,
  options: FitOptions,
): Promise<{ fitted?: Fitted; missing: string[] }> {
  const { embedding, verdict } = emission;
  const topic = options.topics.embeddings;
  if (embedding === undefined || topic === undefined) return { missing: [] };
  const fitted = await orElse(
    () =>
      fit(draftOf(emission, embedding), embeddingKind(verdict, options.encoder, topic), options),
    () => Promise.resolve(undefined),
    options,
  );
  if (!fitted?.fits) return { missing: ['embedding'] };
  return { fitted, missing: fitted.shrunk.filter((step) => step === OTHERS_STEP) };
}

function draftOf<T>(
  { key, headers }: Emission,
  content: T,
  shrunk: readonly string[] = [],
): Draft<T> {
  return { content, key, headers, shrunk };
}

function fit<T>(draft: Draft<T>, kind: MessageKind<T>, { limitOf }: FitOptions): Promise<Fitted> {
  return fitMessage(draft, kind, limitOf(kind.topic));
}

/** AppErrors say that the encoder could not work; any other error is about the message. */
async function orElse<T>(
  work: () => Promise<T>,
  otherwise: () => Promise<T>,
  { onUnencodable }: FitOptions,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    onUnencodable?.(error);
    return otherwise();
  }
}
