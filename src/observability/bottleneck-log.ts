import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Stage } from './telemetry.ts';

/** What the service has to do at one moment. */
export interface Load {
  /** Records that wait in the topic; null while nobody knows. */
  lag: number | null;
  inFlight: number;
  /** How many events are in which stage. */
  stages: ReadonlyMap<Stage, number>;
}

export interface BottleneckLogOptions {
  load: () => Load;
  /** The bound of `inFlight`. */
  maxInFlight: number;
  logger: Logger;
  clock: Clock;
  signal: AbortSignal;
}

const SAMPLE_MS = 1_000;
const SAMPLES = 60;
/** The service was at its bound for at least this part of the time: it did what it could. */
const BUSY = 0.5;

const REMEDIES: Partial<Record<Stage, string>> = {
  decode: 'the schema registry',
  fetch: 'the image store, images.fetchConcurrency',
  preprocess: 'the decoder processes: images.decoders, more cores or instances',
  infer: 'the encoder: a GPU, a smaller model, more cores or instances',
  emit: 'the brokers',
};

/**
 * Says once a minute, while the service is not keeping up, where its events are: as many in flight as are allowed,
 * and no fewer records waiting than a minute before. Resolves when `signal` aborts.
 */
export async function logBottlenecks(options: BottleneckLogOptions): Promise<void> {
  const { clock, signal } = options;
  const rest = (): Promise<boolean> =>
    clock.sleep(SAMPLE_MS, signal).then(
      () => true,
      () => false,
    );
  for (;;) {
    // The first to be known: after the start it takes a while.
    let before = options.load().lag;
    const seen = new Map<Stage, number>();
    let full = 0;
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      if (!(await rest())) return;
      const { lag, inFlight, stages } = options.load();
      before ??= lag;
      if (inFlight >= options.maxInFlight) full += 1;
      for (const [stage, count] of stages) seen.set(stage, (seen.get(stage) ?? 0) + count);
    }
    const { lag } = options.load();
    if (before === null || lag === null || lag === 0 || lag < before) continue;
    if (full >= BUSY * SAMPLES) tell(options, { lag, grown: lag - before, seen });
  }
}

function tell(
  { logger, maxInFlight }: BottleneckLogOptions,
  { lag, grown, seen }: { lag: number; grown: number; seen: ReadonlyMap<Stage, number> },
): void {
  const [slowest] = [...seen].toSorted(([, a], [, b]) => b - a);
  if (slowest === undefined) return;
  const [stage, sum] = slowest;
  const there = Math.round(sum / SAMPLES);
  const look = REMEDIES[stage] === undefined ? '' : `; look at ${REMEDIES[stage]}`;
  logger.warn(
    { lag, grown, stage, inStage: there, maxInFlight },
    `not keeping up: ${lag} records behind, ${grown} more than a minute ago; ${there} of ${maxInFlight} in flight are in ${stage}${look}`,
  );
}
