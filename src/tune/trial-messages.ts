/** What a process that runs a trial is told, and what it answers. */
import type { ErrorCode } from '../errors.ts';
import type { EmbedderConfig } from '../inspector.ts';
import type { Measurement } from './choose.ts';

export interface TrialStart {
  config: EmbedderConfig;
  /** Paths of the images, which are inspected in turn, over and over. */
  files: readonly string[];
  /** How long is measured, after warming up. */
  seconds: number;
}

export type TrialReply =
  | { kind: 'measured'; measurement: Measurement }
  | { kind: 'failed'; code: ErrorCode; message: string };
