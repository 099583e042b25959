import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Telemetry } from './telemetry.ts';

/** While an outage lasts, one line so often, in ms, however many records it holds. */
const EVERY_MS = 10_000;

/** Tells the operator that records are held, and by what. */
export function createHoldLog(logger: Logger, clock: Clock): Telemetry['retried'] {
  const lastTold = new Map<string, number>();
  return (stage, error, attempt) => {
    const code = error instanceof AppError ? error.code : 'unknown';
    const now = clock.elapsed();
    if (now - (lastTold.get(code) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    lastTold.set(code, now);
    logger.warn({ stage, attempt, err: error }, `holding records until it is over: ${code}`);
  };
}
