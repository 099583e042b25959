import { afterEach, describe, expect, it } from '@jest/globals';
import { noLogger } from '../../src/logger.ts';
import { logStalls } from '../../src/observability/stall-log.ts';
import type { Stall } from '../../src/observability/stalls.ts';
import { FakeClock } from '../support/fake-clock.ts';

const parked: Stall = { kind: 'parked', where: 'images/3', message: 'images/3 waits' };
const hidden: Stall = {
  kind: 'open-transaction',
  where: 'images/4',
  message: 'images/4 is hidden',
};

const stop = new Set<AbortController>();
afterEach(() => {
  for (const controller of stop) controller.abort();
  stop.clear();
});

/** `stallsAt` says what stands still after so many ms. */
async function watched(stallsAt: (ms: number) => Stall[], forMs: number) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const looks: number[] = [];
  const controller = new AbortController();
  stop.add(controller);
  const startedAt = clock.elapsed();
  const at = (): string => `${(clock.elapsed() - startedAt) / 1000} s`;
  void logStalls({
    look: () => stallsAt(clock.elapsed() - startedAt),
    onLook: (stalls) => looks.push(stalls.length),
    clock,
    logger: {
      ...noLogger,
      warn: (_, message) => lines.push(`${at()} ${message}`),
      info: (_, message) => lines.push(`${at()} ${message}`),
    },
    signal: controller.signal,
  });
  await clock.advance(forMs);
  return { lines, looks };
}

describe('the log of what stands still', () => {
  it('says it at once, once a minute while it lasts, and once that it is over', async () => {
    const { lines } = await watched((ms) => (ms < 100_000 ? [parked] : []), 120_000);
    expect(lines).toEqual([
      '10 s images/3 waits',
      '70 s images/3 waits',
      '100 s moving again: parked images/3',
    ]);
  });

  it('tells each partition and each cause by itself', async () => {
    const both = (ms: number): Stall[] => (ms < 30_000 ? [parked] : [parked, hidden]);
    const { lines } = await watched(both, 40_000);
    expect(lines).toEqual(['10 s images/3 waits', '30 s images/4 is hidden']);
  });

  it('passes on each look, also one that finds nothing', async () => {
    const { looks } = await watched((ms) => (ms === 20_000 ? [parked, hidden] : []), 30_000);
    expect(looks).toEqual([0, 2, 0]);
  });
});
