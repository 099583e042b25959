/**
 * Time as a port, so that tests move it by hand. Imports nothing but node: modules.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since the Unix epoch, for timestamps. */
  now(): number;
  /** Monotonic milliseconds with a fraction, for durations. */
  elapsed(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { ref: true, ...(signal && { signal }) });
  },
};
