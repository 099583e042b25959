/**
 * What the pipeline tells the outside about itself: one function for each thing that happens. The pipeline
 * sees this port only; OpenTelemetry stays behind it.
 */
import type { CacheFault } from '../cache/embedding-cache.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import type { Header, Reused, Verdict } from '../events/types.generated.ts';

export type Stage = 'decode' | 'fetch' | 'preprocess' | 'queue' | 'infer' | 'score' | 'emit';

/** The trace of one event. */
export interface EventTrace {
  /** The event is in this stage from now on. */
  entered(stage: Stage): void;
  /** Records that a stage took from `startedAt` to `endedAt`, in monotonic ms (`Clock.elapsed`). */
  stage(stage: Stage, startedAt: number, endedAt: number): void;
  /** `headers` with this trace's W3C context in place of the incoming one. */
  inject(headers: readonly Header[]): Header[];
  /** The event has its terminal verdict, acknowledged. */
  finished(verdict: Verdict): void;
  /** The event goes back unacknowledged: the process ends or the partition was lost. */
  abandoned(error: unknown): void;
}

export interface Telemetry {
  /** A record was taken from the source; its trace continues the producer's context, when it has one. */
  eventStarted(record: KafkaRecord): EventTrace;
  retried(stage: Stage, error: unknown, attempt: number): void;
  inFlight(count: number): void;
  batchInferred(size: number, maxSize: number, ms: number): void;
  /** Where what was found of an image comes from; null: it was inspected now. */
  cacheAnswered(reused: Pick<Reused, 'store' | 'by'> | null): void;
  /** A list of known images is in force, with so many entries. */
  listLoaded(list: string, entries: number): void;
  /** A list could not be read again; what was loaded before stays in force. */
  listFailed(list: string): void;
  /** The shared store of inspected images did not do what it was asked. */
  cacheFailed(fault: CacheFault): void;
}

const noTrace: EventTrace = {
  entered: () => undefined,
  stage: () => undefined,
  inject: (headers) => [...headers],
  finished: () => undefined,
  abandoned: () => undefined,
};

/** Tells nobody anything. */
export const noTelemetry: Telemetry = {
  eventStarted: () => noTrace,
  retried: () => undefined,
  inFlight: () => undefined,
  batchInferred: () => undefined,
  cacheAnswered: () => undefined,
  cacheFailed: () => undefined,
  listLoaded: () => undefined,
  listFailed: () => undefined,
};
