import { describe, expect, it, jest } from '@jest/globals';
import { Outages } from '../src/outages.ts';
import { FakeClock } from './support/fake-clock.ts';

const STORE = 's3://bucket';

/** Outages with a dependency that is absent until `answers` is set. */
function absentStore() {
  const clock = new FakeClock();
  const state = { answers: false as boolean | undefined, probes: 0, atOnce: 0, most: 0 };
  const changes: string[] = [];
  const outages = new Outages({
    clock,
    random: () => 0.999_999,
    onChange: (dependency, isAbsent) => changes.push(`${dependency} ${isAbsent}`),
    probe: async () => {
      state.probes += 1;
      state.atOnce += 1;
      state.most = Math.max(state.most, state.atOnce);
      await clock.sleep(50);
      state.atOnce -= 1;
      return state.answers;
    },
  });
  return { clock, state, changes, outages };
}

const never = new AbortController().signal;

describe('an absent dependency', () => {
  it('is asked by one probe at a time for three hundred records, which all go on once it answers', async () => {
    const { clock, state, changes, outages } = absentStore();
    const order: number[] = [];
    const waits = Array.from({ length: 300 }, async (_, n) => {
      expect(await outages.wait(STORE, 1, never)).toBe(true);
      order.push(n);
    });
    await clock.advance(60_000);
    expect(order).toEqual([]);
    expect(outages.absent()).toEqual([{ dependency: STORE, waiting: 300 }]);
    expect([state.most, state.probes]).toEqual([1, 10]); // 0.2, 0.4, … 15 s apart, whatever waits

    state.answers = true;
    await clock.advance(15_100);
    await Promise.all(waits);
    expect(order).toEqual([...order.keys()]);
    expect(outages.absent()).toEqual([]);
    expect(changes).toEqual([`${STORE} true`, `${STORE} false`]);
    expect(clock.sleeping).toBe(0);
  });

  it('holds up nothing that waits for another one', async () => {
    const clock = new FakeClock();
    const outages = new Outages({ clock, probe: (name) => Promise.resolve(name === 'there') });
    const waiting = outages.wait('absent', 1, never);
    const other = outages.wait('there', 1, never);
    await clock.advance(200);
    expect(await other).toBe(false);
    expect(outages.absent()).toEqual([{ dependency: 'absent', waiting: 1 }]);
    expect(await Promise.race([waiting, Promise.resolve('waits')])).toBe('waits');
  });

  it('is not asked any more once nothing waits for it', async () => {
    const { clock, state, changes, outages } = absentStore();
    const given = new AbortController();
    const waits = [1, 2].map(() => outages.wait(STORE, 1, given.signal).catch(() => 'given up'));
    await clock.advance(1_000);
    given.abort();
    expect(await Promise.all(waits)).toEqual(['given up', 'given up']);
    await clock.advance(100); // a probe that was under way
    const { probes } = state;
    await clock.advance(60_000);
    expect(state.probes).toBe(probes);
    expect(changes.at(-1)).toBe(`${STORE} false`);
    expect(clock.sleeping).toBe(0);
  });

  it('keeps the others waiting when the record that asked first is given up', async () => {
    const { clock, state, outages } = absentStore();
    const first = new AbortController();
    const given = outages.wait(STORE, 1, first.signal).catch(() => 'given up');
    const other = outages.wait(STORE, 1, never);
    await clock.advance(10); // the probe of both is under way
    first.abort();
    expect(await given).toBe('given up');
    state.answers = true;
    await clock.advance(1_000);
    expect(typeof (await other)).toBe('boolean');
  });

  it('may be given up while its probe hangs', async () => {
    const clock = new FakeClock();
    const outages = new Outages({ clock, probe: () => new Promise(() => undefined) });
    const budget = new AbortController();
    const waits = [1, 2].map(() => outages.wait(STORE, 1, budget.signal).catch(() => 'given up'));
    await clock.advance(1_000);
    budget.abort();
    expect(await Promise.all(waits)).toEqual(['given up', 'given up']);
  });

  it('is absent too when its probe fails, at once or later', async () => {
    const clock = new FakeClock();
    const probe = jest
      .fn<() => Promise<boolean>>()
      .mockImplementationOnce(() => {
        throw new Error('no address');
      })
      .mockRejectedValueOnce(new Error('connection refused'))
      .mockResolvedValue(true);
    const outages = new Outages({ clock, probe });
    const waiting = outages.wait(STORE, 1, never);
    await clock.advance(1_000);
    expect(await waiting).toBe(true);
    expect(probe).toHaveBeenCalledTimes(3);
  });
});

describe('a dependency that answers', () => {
  it('is tried again after a delay that grows, and the fault may be the record’s', async () => {
    const { clock, state, changes, outages } = absentStore();
    state.answers = true;
    const waited = outages.wait(STORE, 3, never);
    await clock.advance(50 + 799);
    expect(await Promise.race([waited, Promise.resolve('waits')])).toBe('waits');
    await clock.advance(1);
    expect(await waited).toBe(false);
    expect(changes).toEqual([]);
  });
});

describe('a dependency that cannot be asked', () => {
  it.each([
    ['no probe', undefined],
    ['a probe that does not know it', () => Promise.resolve(undefined)],
  ])('counts as absent with %s, and is tried again after a delay', async (_, probe) => {
    const clock = new FakeClock();
    const outages = new Outages({ clock, random: () => 0.999_999, probe });
    const waited = outages.wait('registry_unavailable', 2, never);
    await clock.advance(399);
    expect(await Promise.race([waited, Promise.resolve('waits')])).toBe('waits');
    await clock.advance(1);
    expect(await waited).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it('stops waiting when the record is given up', async () => {
    const clock = new FakeClock();
    const outages = new Outages({ clock });
    const given = new AbortController();
    const waited = outages.wait('registry_unavailable', 1, given.signal);
    const gaveUp = expect(waited).rejects.toThrow('abort');
    await clock.advance(50);
    given.abort();
    await gaveUp;
    expect(clock.sleeping).toBe(0);
  });
});
