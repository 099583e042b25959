import { afterEach, describe, expect, it } from '@jest/globals';
import { noLogger } from '../../src/logger.ts';
import { logBottlenecks, type Load } from '../../src/observability/bottleneck-log.ts';
import { StageBoard } from '../../src/observability/stage-board.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MINUTE_MS = 60_000;
const stop = new Set<AbortController>();
afterEach(() => {
  for (const controller of stop) controller.abort();
  stop.clear();
});

/** What is said over three minutes, `load` being what there is to do after so many ms. */
async function saidWith(load: (ms: number) => Load): Promise<string[]> {
  const clock = new FakeClock();
  const said: string[] = [];
  const controller = new AbortController();
  stop.add(controller);
  const startedAt = clock.elapsed();
  void logBottlenecks({
    load: () => load(clock.elapsed() - startedAt),
    maxInFlight: 64,
    logger: { ...noLogger, warn: (_, message) => said.push(message) },
    clock,
    signal: controller.signal,
  });
  await clock.advance(3 * MINUTE_MS);
  return said;
}

const busy = { inFlight: 64, stages: new Map([['infer', 58] as const, ['emit', 6] as const]) };

describe('while more records come than are judged', () => {
  it('it says so once a minute, with where they are and what to look at', async () => {
    const said = await saidWith((ms) => ({ ...busy, lag: 1_000 + ms / 100 }));
    expect(said).toHaveLength(3);
    expect(said[0]).toBe(
      'not keeping up: 1600 records behind, 600 more than a minute ago; 58 of 64 in flight are in infer; ' +
        'look at the encoder: a GPU, a smaller model, more cores or instances',
    );
  });

  it('names the stage in which most were over the minute, not in its last moment', async () => {
    const [line] = await saidWith((ms) => {
      const stages = new Map([[ms % MINUTE_MS > 50_000 ? 'emit' : 'preprocess', 64] as const]);
      return { lag: 10, inFlight: 64, stages };
    });
    expect(line).toContain('are in preprocess; look at the decoder processes');
  });
});

it('after the start, the minute begins when it is known what waits', async () => {
  const said = await saidWith((ms) => ({ ...busy, lag: ms < 5_000 ? null : ms / 100 }));
  expect(said[0]).toContain('600 records behind, 550 more than a minute ago');
});

describe('nothing is said', () => {
  it.each<[string, (ms: number) => Load]>([
    ['while it catches up', (ms) => ({ ...busy, lag: 100_000 - ms / 100 })],
    ['while nothing waits', () => ({ ...busy, lag: 0 })],
    ['while nobody knows what waits', () => ({ ...busy, lag: null })],
    ['while it has room for more', () => ({ ...busy, lag: 10, inFlight: 20 })],
  ])('%s', async (_, load) => {
    expect(await saidWith(load)).toEqual([]);
  });
});

describe('a stage board', () => {
  it('counts events from stage to stage, and forgets those that are done', () => {
    const board = new StageBoard();
    board.move(null, 'decode');
    board.move(null, 'decode');
    board.move('decode', 'fetch');
    board.move('fetch', null);
    expect(Object.fromEntries(board.counts)).toEqual({ decode: 1, fetch: 0 });
  });
});
