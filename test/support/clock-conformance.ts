import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../src/clock.ts';

/** What every Clock promises; `pass` lets that much of its time pass. */
export function describeClock(
  name: string,
  create: () => { clock: Clock; pass: (ms: number) => Promise<void> },
): void {
  describe(name, () => {
    it('tells a time of day and a duration that both go forward', async () => {
      const { clock, pass } = create();
      const [now, elapsed] = [clock.now(), clock.elapsed()];
      await pass(20);
      expect(clock.now() - now).toBeGreaterThanOrEqual(19);
      expect(clock.elapsed() - elapsed).toBeGreaterThanOrEqual(19);
      expect(clock.now()).toBeGreaterThan(Date.UTC(2020));
    });

    it('wakes sleepers in the order of their times, and none too early', async () => {
      const { clock, pass } = create();
      const woken: Array<[number, number]> = [];
      const start = clock.elapsed();
      const sleepers = [30, 10, 20].map(async (ms) => {
        await clock.sleep(ms);
        woken.push([ms, clock.elapsed() - start]);
      });
      await pass(60);
      await Promise.all(sleepers);
      expect(woken.map(([ms]) => ms)).toEqual([10, 20, 30]);
      for (const [ms, after] of woken) expect(after).toBeGreaterThanOrEqual(ms - 1);
    });

    it('gives up a sleep when its signal aborts', async () => {
      const { clock } = create();
      const abort = new AbortController();
      const sleep = clock.sleep(60_000, abort.signal);
      abort.abort();
      await expect(sleep).rejects.toThrow();
    });

    it('does not begin a sleep whose signal has aborted', async () => {
      const { clock } = create();
      await expect(clock.sleep(60_000, AbortSignal.abort())).rejects.toThrow();
    });
  });
}
