import type { Usage } from './process-watch.ts';
import { eventsPerSecond, type Window } from './statistics.ts';

export type TrialName =
  | 'service'
  | 'avro'
  | 'exactly-once'
  | 'repeated'
  | 'small'
  | 'small-exactly-once'
  | 'pipeline'
  | 'inspector'
  | 'known'
  | 'bare'
  | 'pool'
  | 'in-process'
  | 'loop'
  | 'jpeg'
  | 'jpeg-sharp'
  | 'jpeg-codec'
  | 'naive';

/** One way from images to verdicts, which can be run again and again. */
export interface Trial {
  name: TrialName;
  title: string;
  run(): Promise<Measurement>;
}

/** What one run of a trial came to. */
export interface Measurement {
  /** Events per second after warming up, until the last verdict was there. */
  rate: number;
  /** Events per second from the first record taken on, warming up included; where that moment is known. */
  rateSinceStart?: number;
  /** By role of the process. */
  usage: Record<string, Usage>;
}

export function measurement(window: Window, usage: Record<string, Usage>): Measurement {
  return { rate: eventsPerSecond(window), usage };
}
