import type { Clock } from '../clock.ts';

/** Runs `task` each `intervalMs`, one run at a time, until the signal aborts. The task must not reject. */
export async function repeat(
  { clock, intervalMs, signal }: { clock: Clock; intervalMs: number; signal: AbortSignal },
  task: () => Promise<void>,
): Promise<void> {
  while (await slept(clock, intervalMs, signal)) await task();
}

/** Sleeps; false when the signal aborted first. */
export async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}
