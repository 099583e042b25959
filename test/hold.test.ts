import { describe, expect, it } from '@jest/globals';
import { AppError } from '../src/errors.ts';
import { hold } from '../src/hold.ts';
import { FakeClock } from './support/fake-clock.ts';

const outage = (): AppError =>
  new AppError('registry_unavailable', 'asking the registry: no answer');

function holding(work: () => Promise<string>) {
  const clock = new FakeClock();
  const abort = new AbortController();
  const attempts: number[] = [];
  const result = hold(work, {
    clock,
    signal: abort.signal,
    onRetry: (_, attempt) => attempts.push(attempt),
    random: () => 0.999_999,
  });
  result.catch(() => undefined);
  return { clock, abort, attempts, result };
}

describe('hold', () => {
  it('tries again with growing delays until the outage is over', async () => {
    let left = 4;
    const { clock, attempts, result } = holding(() => {
      left -= 1;
      return left > 0 ? Promise.reject(outage()) : Promise.resolve('done');
    });
    await clock.advance(199);
    expect(attempts).toEqual([1]);
    await clock.advance(1 + 400);
    expect(attempts).toEqual([1, 2, 3]);
    await clock.advance(800);
    await expect(result).resolves.toBe('done');
  });

  it('never waits longer than fifteen seconds', async () => {
    const { clock, attempts } = holding(() => Promise.reject(outage()));
    await clock.advance(60_000);
    const before = attempts.length;
    await clock.advance(15_000);
    expect(attempts.length).toBe(before + 1);
  });

  it('passes every other error through at once', async () => {
    const { result, attempts } = holding(() =>
      Promise.reject(new AppError('image_corrupt', 'decoding: bad marker')),
    );
    await expect(result).rejects.toMatchObject({ code: 'image_corrupt' });
    expect(attempts).toEqual([]);
  });

  it('gives the outage itself as the error when it is aborted', async () => {
    const { clock, abort, result } = holding(() => Promise.reject(outage()));
    await clock.advance(50);
    abort.abort();
    await expect(result).rejects.toMatchObject({ code: 'registry_unavailable' });
    expect(clock.sleeping).toBe(0);
  });
});
