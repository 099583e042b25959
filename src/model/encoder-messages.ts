/** What the encoder and its worker say to each other. */
import type { ErrorCode } from '../errors.ts';
import type { Golden } from './golden.ts';
import type { ModelFolder } from './model-folder.ts';
import type { RuntimeOptions } from './ort-session.ts';

export interface WorkerStart {
  model: ModelFolder;
  runtime: RuntimeOptions;
  /** Images that memory is set aside for. */
  maxBatchSize: number;
  textIdleMs: number;
  /** The text whose golden embedding is asked for. */
  goldenText: string;
}

export interface WorkerData extends WorkerStart {
  /** One Int32: 1 while the thread may be in the runtime's native code. */
  busy: SharedArrayBuffer;
}

export type Request =
  /** `pixels` is shared memory: `[count, height, width, 3]` from its beginning. */
  | { id: number; kind: 'images'; pixels: SharedArrayBuffer; count: number }
  | { id: number; kind: 'texts'; texts: readonly string[] }
  | { id: number; kind: 'close' };

export interface Failure {
  code: ErrorCode;
  message: string;
}

export type Reply =
  | { kind: 'ready'; golden: Golden }
  | { kind: 'failed'; error: Failure }
  /** `embeddings` holds one unit vector after the other. */
  | { kind: 'embeddings'; id: number; embeddings: Float32Array }
  | { kind: 'rejected'; id: number; error: Failure };
