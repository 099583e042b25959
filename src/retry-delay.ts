const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 15_000;

/**
 * How long to wait before the next attempt, in ms; `attempt` is the number of failures, from 1. Exponential back-off
 * with equal jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 *
 * @param random - a number in [0, 1)
 */
export function retryDelay(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
  return ceiling * (0.5 + random() / 2);
}
