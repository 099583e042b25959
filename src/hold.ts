import type { Clock } from './clock.ts';
import { dispositionOf } from './errors.ts';

export interface HoldOptions {
  clock: Clock;
  /** Ends the holding; `hold` then rejects with the error that it was holding for. */
  signal: AbortSignal;
  /** Ends it too: the record that is held is not ours any more. */
  givenUp?: AbortSignal;
  onRetry: (error: unknown, attempt: number) => void;
  /** A number in [0, 1). @default Math.random */
  random?: () => number;
}

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 15_000;

/**
 * Runs `work` again for as long as infrastructure is at fault (disposition `retry`), so that an outage holds the
 * record instead of becoming its verdict. Exponential back-off with equal jitter (Brooker, "Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015). Any other error passes through.
 */
export async function hold<T>(work: () => Promise<T>, options: HoldOptions): Promise<T> {
  const { clock, signal, givenUp, onRetry, random = Math.random } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (dispositionOf(error) !== 'retry' || signal.aborted || givenUp?.aborted) throw error;
      onRetry(error, attempt);
      const delayMs = retryDelay(attempt, random);
      const ended = givenUp ? AbortSignal.any([signal, givenUp]) : signal;
      const slept = await clock.sleep(delayMs, ended).then(
        () => true,
        () => false,
      );
      if (!slept) throw error;
    }
  }
}

/** How long to wait before the next attempt, in ms; `attempt` is the number of failures, from 1. */
export function retryDelay(attempt: number, random: () => number): number {
  const ceiling = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
  return ceiling * (0.5 + random() / 2);
}
