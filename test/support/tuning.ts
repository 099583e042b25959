import { resultOf, type Measurement, type Result } from '../../src/tune/choose.ts';
import type { Settings } from '../../src/tune/settings.ts';

export function settings(changes: Partial<Settings> = {}): Settings {
  return {
    workers: 1,
    threads: 4,
    maxBatchSize: 8,
    maxWaitMs: 0,
    decoders: 4,
    maxInFlight: 64,
    ...changes,
  };
}

export function measurement(changes: Partial<Measurement> = {}): Measurement {
  return { imagesPerSecond: 100, memoryMiB: 500, batchMs: 80, batchSize: 8, ...changes };
}

/** Of one round. */
export function result(changes: Partial<Settings>, figures: Partial<Measurement>): Result {
  return resultOf(settings(changes), [measurement(figures)]);
}
