import { describe, expect, it } from '@jest/globals';
import { within } from '../../src/kafka/within.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('within a time', () => {
  const waiting = { ms: 1_000, doing: 'asking' };

  it('passes on what comes in time, an error too', async () => {
    const clock = new FakeClock();
    await expect(within(Promise.resolve(7), { clock, ...waiting })).resolves.toBe(7);
    const failing = Promise.reject(new TypeError('no'));
    await expect(within(failing, { clock, ...waiting })).rejects.toThrow(TypeError);
  });

  it('gives up what never comes, and has no use for what comes later', async () => {
    const clock = new FakeClock();
    const late = Promise.withResolvers<never>();
    const given = within(late.promise, { clock, ...waiting });
    const outcome = expect(given).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: 'asking: no answer for 1 s',
    });
    await clock.advance(1_000);
    await outcome;
    late.reject(new Error('too late'));
  });
});
