/** What the encoder and its worker say to each other. */
import type { ErrorCode } from '../errors.ts';
import type { Golden } from './golden.ts';
import type { Encoded } from './ort-session.ts';
import type { VisionOptions } from './vision-encoder.ts';

export interface WorkerStart extends VisionOptions {
  textIdleMs: number;
  /** The text whose golden embedding is asked for; null of a worker that gets no texts and loads no text tower. */
  goldenText: string | null;
}

export interface WorkerData extends WorkerStart {
  /** One Int32: 1 while the thread may be in the runtime's native code. */
  busy: SharedArrayBuffer;
}

export type Request =
  /** `pixels` is shared memory: `[count, height, width, 3]` from its beginning. */
  | { id: number; kind: 'images'; pixels: SharedArrayBuffer; count: number }
  | { id: number; kind: 'texts'; texts: readonly string[] }
  /** `[prompts, dimensions]`; answered with what is made of the golden image from now on. */
  | { id: number; kind: 'prompts'; prompts: Float32Array }
  | { id: number; kind: 'close' };

export interface Failure {
  code: ErrorCode;
  message: string;
}

export type Reply =
  | { kind: 'ready'; golden: Golden }
  | { kind: 'failed'; error: Failure }
  | ({ kind: 'encoded'; id: number } & Encoded)
  | { kind: 'rejected'; id: number; error: Failure };
