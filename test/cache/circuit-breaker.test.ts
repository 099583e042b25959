import { describe, expect, it } from '@jest/globals';
import { CircuitBreaker } from '../../src/cache/circuit-breaker.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

const REST_MS = 1_000;

function setUp() {
  const clock = new FakeClock();
  const told: string[] = [];
  let asked = 0;
  const breaker = new CircuitBreaker({
    clock,
    failures: 3,
    restMs: REST_MS,
    onFailure: () => told.push('failure'),
    onOpen: (error) => told.push(`open: ${(error as Error).message}`),
    onClose: () => told.push('close'),
  });
  const ask = (work: () => Promise<string>): Promise<string | undefined> =>
    breaker.ask(() => {
      asked += 1;
      return work();
    });
  const well = (): Promise<string | undefined> => ask(() => Promise.resolve('well'));
  const ill = (): Promise<string | undefined> => ask(() => Promise.reject(new Error('ill')));
  return { clock, told, ask, well, ill, asked: () => asked };
}

describe('CircuitBreaker', () => {
  it('passes answers on, and nothing for a failure', async () => {
    const { well, ill, told } = setUp();
    expect(await well()).toBe('well');
    expect(await ill()).toBeUndefined();
    expect(told).toEqual(['failure']);
  });

  it('opens after so many failures in a row, not otherwise', async () => {
    const { well, ill, told, asked } = setUp();
    for (const each of [ill, ill, well, ill, ill, well, ill, ill]) await each();
    expect(told).not.toContain('open: ill');
    await ill();
    expect(told.at(-1)).toBe('open: ill');
    expect(await well()).toBeUndefined();
    expect(asked()).toBe(9);
  });

  it('lets one try after the rest, and rests again when it fails, telling nobody anew', async () => {
    const { clock, well, ill, told, asked } = setUp();
    for (const each of [ill, ill, ill]) await each();
    await clock.advance(REST_MS - 1);
    await well();
    expect(asked()).toBe(3);
    await clock.advance(1);
    await ill();
    await well();
    expect(asked()).toBe(4);
    await clock.advance(REST_MS);
    expect(await well()).toBe('well');
    expect(await well()).toBe('well');
    expect(told).toEqual(['failure', 'failure', 'failure', 'open: ill', 'failure', 'close']);
  });

  it('asks nothing else while one tries', async () => {
    const { clock, ask, well, ill, asked } = setUp();
    for (const each of [ill, ill, ill]) await each();
    await clock.advance(REST_MS);
    const trial = Promise.withResolvers<string>();
    const trying = ask(() => trial.promise);
    expect(await well()).toBeUndefined();
    expect(asked()).toBe(4);
    trial.resolve('at last');
    expect(await trying).toBe('at last');
    await settle();
    expect(await well()).toBe('well');
  });
});
