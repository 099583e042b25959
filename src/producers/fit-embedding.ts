import { embeddingCloudEvent } from '../events/cloud-events.ts';
import type { MessageEncoder } from '../events/message-encoder.ts';
import type { Embedding, Verdict } from '../events/types.generated.ts';
import { cutText } from './cut-text.ts';
import { HEADERS, LARGE_BYTES, LARGE_HEADERS, LARGE_KEY, type Draft, type Step } from './draft.ts';
import type { MessageKind } from './fit-message.ts';

export const OTHERS_STEP = 'embedding-others';

/** See docs/reliability.md, "Every record ends": the order is part of the promise. */
const STEPS: ReadonlyArray<Step<Embedding>> = [
  LARGE_HEADERS as Step<Embedding>,
  { name: 'texts', apply: withShortTexts },
  LARGE_KEY as Step<Embedding>,
  HEADERS as Step<Embedding>,
  {
    name: OTHERS_STEP,
    apply: (draft) =>
      draft.content.others.length === 0
        ? draft
        : { ...draft, content: { ...draft.content, others: [] } },
  },
];

export function embeddingKind(
  verdict: Verdict,
  encoder: MessageEncoder,
  topic: string,
): MessageKind<Embedding> {
  return {
    topic,
    // The subject is cut where the event id is.
    event: ({ eventId }) => embeddingCloudEvent({ ...verdict, eventId }),
    encode: (embedding) => encoder.encodeEmbedding(embedding, topic),
    leastBytes: ({ eventId }) => eventId.length,
    marked: (embedding) => embedding, // the verdict says it
    steps: STEPS,
  };
}

function withShortTexts(draft: Draft<Embedding>): Draft<Embedding> {
  const { eventId } = draft.content;
  const cut = cutText(eventId, LARGE_BYTES);
  return cut === eventId ? draft : { ...draft, content: { ...draft.content, eventId: cut } };
}
