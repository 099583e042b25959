import type { Outcome } from '../src/events/types.generated.ts';
import type { Restarts } from '../src/images/decoder-pool.ts';

/** Given to the service as its one argument, in JSON. */
export interface ServiceSettings {
  /** A model folder. */
  model: string;
  decoders: number;
  /** `images.decodeTimeoutMs` */
  timeoutMs: number;
  /** `images.decoderMemoryBytes` */
  memoryBytes: number;
}

/** What the suite tells the service. */
export type Order = { kind: 'case'; number: number; bytes: Uint8Array } | { kind: 'end' };

/** What became of one case. */
export interface CaseOutcome {
  number: number;
  outcome: Outcome;
  /** Why it was not inspected. */
  code: string | null;
  /** From being taken to its verdict. */
  ms: number;
}

/** What the service tells the suite. */
export type Report =
  | ({ kind: 'outcome' } & CaseOutcome)
  /** All is done, and the process is about to end. */
  | { kind: 'done'; restarts: Restarts };
