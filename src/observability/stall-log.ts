import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Stall } from './stalls.ts';

/** How often the source is looked at, and how often a stall that lasts is logged again, in ms. */
const LOOK_EVERY_MS = 10_000;
const LOG_EVERY_MS = 60_000;

export interface StallLogOptions {
  look: () => Stall[];
  /** Called after each look, with nothing when nothing stands still. */
  onLook: (stalls: readonly Stall[]) => void;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

/** Logs what stands still: once when it begins, once a minute while it lasts, once when it is over. */
export async function logStalls({
  look,
  onLook,
  clock,
  logger,
  signal,
}: StallLogOptions): Promise<void> {
  const loggedAt = new Map<string, number>();
  for (;;) {
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const stalls = look();
    onLook(stalls);
    const now = clock.elapsed();
    const current = new Set(stalls.map(({ kind, where }) => `${kind} ${where}`));
    for (const { kind, where, message } of stalls) {
      const key = `${kind} ${where}`;
      if (now - (loggedAt.get(key) ?? -Infinity) < LOG_EVERY_MS) continue;
      loggedAt.set(key, now);
      logger.warn({ kind, ...(where !== '' && { partition: where }) }, message);
    }
    for (const key of loggedAt.keys()) {
      if (current.has(key)) continue;
      loggedAt.delete(key);
      logger.info({}, `moving again: ${key}`);
    }
  }
}
