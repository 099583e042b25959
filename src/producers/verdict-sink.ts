/**
 * Kafka out: where verdicts, dead letters and embeddings go. An emission is done only when the broker has
 * acknowledged every part of it. This room knows nothing of images, models or policies.
 */
import type { Band, DeadLetter, Embedding, Header, Verdict } from '../events/types.generated.ts';

/** Everything that one input record gives rise to. */
export interface Emission {
  /** The input record's key: that of every message emitted for it. */
  key: Buffer | null;
  /** Carried over from the input record, with the trace context of this processing. */
  headers: Header[];
  verdict: Verdict;
  deadLetter?: DeadLetter;
  embedding?: Embedding;
  /**
   * What the policies ask to be done with an image that was not inspected, should the verdict prove unencodable.
   * @default 'review'
   */
  onError?: Band;
}

export interface VerdictSink {
  /** Set where an emission waits for those of the older records of its partition. */
  readonly inOrder?: boolean;
  /**
   * Resolves when every part has been acknowledged by all in-sync replicas. A part that is too large for its topic
   * is shrunk until it fits, and marked as shrunk.
   * Throws AppError `topic_missing`, `kafka_unauthorized`, `kafka_unavailable`, `registry_unavailable`,
   * `registry_rejected`, or `record_too_large` when a topic does not take even the smallest message; nothing may then
   * be acknowledged upstream.
   */
  emit(emission: Emission): Promise<void>;
  /** Sends what waits and disconnects. Idempotent. */
  close(): Promise<void>;
}
