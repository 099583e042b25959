import { describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../src/errors.ts';
import { Outages } from '../src/outages.ts';
import { FakeClock, settle } from './support/fake-clock.ts';

const STORE = 's3://bucket';
const never = new AbortController().signal;
const error = new AppError('image_store_unavailable', 'fetching image s3://bucket/a: no answer');

/** Outages with a store that answers probes once `answers` is set. */
function setUp(answers: boolean | undefined = false) {
  const clock = new FakeClock();
  const state = { answers, probes: 0, atOnce: 0, most: 0 };
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
  const fail = (record: object = {}, signal = never) =>
    outages.failed(STORE, record, { error, signal });
  /** Begins an outage. */
  const begin = async (): Promise<void> => {
    const found = fail();
    await clock.advance(50);
    expect(await found).toBe('absent');
  };
  return { clock, state, changes, outages, fail, begin };
}

describe('a dependency that does not answer', () => {
  it('is asked by one probe at a time for three hundred records', async () => {
    const { clock, state, changes, outages, fail } = setUp();
    const records = Array.from({ length: 300 }, () => ({}));
    const admitted: number[] = [];
    const waits = records.map(async (record, n) => {
      expect(await fail(record)).toBe('absent');
      await outages.admit(STORE, record, never);
      admitted.push(n);
      outages.answered(STORE);
    });
    await clock.advance(60_000);
    expect(admitted).toEqual([]);
    expect(outages.absent()).toEqual([{ dependency: STORE, waiting: 300, ms: 59_950 }]);
    expect([state.most, state.probes]).toEqual([1, 10]); // 0.2, 0.4, … 15 s apart, whatever waits

    state.answers = true;
    await clock.advance(15_100);
    await Promise.all(waits);
    expect(admitted).toEqual([...admitted.keys()]);
    expect(outages.absent()).toEqual([]);
    expect(changes).toEqual([`${STORE} true`, `${STORE} false`]);
    expect(clock.sleeping).toBe(0);
  });

  it('is tried by one record when it answers the probe, and by the others once that has succeeded', async () => {
    const { clock, state, outages, begin, fail } = setUp();
    await begin();
    const trials: string[] = [];
    const wait = async (name: string): Promise<object> => {
      const record = {};
      await outages.admit(STORE, record, never);
      trials.push(name);
      return record;
    };
    const first = wait('first');
    void wait('second');
    void wait('third');
    state.answers = true;
    await clock.advance(60_000);
    expect(trials).toEqual(['first']); // whose trial takes as long as it takes
    expect(await fail(await first)).toBe('absent');
    await clock.advance(60_000);
    expect(trials).toEqual(['first', 'second']);
    outages.answered(STORE);
    await settle();
    expect(trials).toEqual(['first', 'second', 'third']);
    expect(clock.sleeping).toBe(0);
  });

  it('lets another record try when one leaves without a result', async () => {
    const { clock, state, outages, begin } = setUp();
    await begin();
    const revoked = {};
    const trial = outages.admit(STORE, revoked, never);
    const next = outages.admit(STORE, {}, never).then(() => 'tries');
    state.answers = true;
    await clock.advance(60_000);
    await trial;
    outages.left(STORE, revoked);
    await clock.advance(15_050);
    expect(await next).toBe('tries');
  });

  it('is not asked while no record waits, and met by the next record as a trial', async () => {
    const { clock, state, outages, begin } = setUp();
    await begin();
    const given = new AbortController();
    const waits = [1, 2].map(() => outages.admit(STORE, {}, given.signal).catch(() => 'given up'));
    await clock.advance(1_000);
    given.abort();
    expect(await Promise.all(waits)).toEqual(['given up', 'given up']);
    await clock.advance(100); // a probe that was under way
    const { probes } = state;
    await clock.advance(60_000);
    expect(state.probes).toBe(probes);
    expect(clock.sleeping).toBe(0);
    expect(outages.of(STORE)?.error).toBe(error);
    const [trial, second] = [{}, {}];
    expect([trial, second].map((record) => outages.mayTry(STORE, record))).toEqual([true, false]);
  });

  it('is forgotten when no record has asked for it in five minutes', async () => {
    const { clock, outages, begin } = setUp();
    await begin();
    await clock.advance(299_999);
    expect(outages.absent()).toHaveLength(1);
    await clock.advance(1);
    expect(outages.absent()).toEqual([]);
  });

  it('is one of a thousand at most: a publisher can name any number of hosts', async () => {
    const clock = new FakeClock();
    const outages = new Outages({ clock, probe: () => Promise.resolve(false) });
    for (let host = 0; host < 3_000; host += 1) {
      await outages.failed(`https://${host}.example`, {}, { error, signal: never });
    }
    expect(outages.absent()).toHaveLength(1_000);
  });

  it('holds up nothing that needs another one', async () => {
    const { outages, begin } = setUp();
    await begin();
    expect(outages.mayTry('s3://other', {})).toBe(true);
    await outages.admit('s3://other', {}, never);
  });

  it('may be given up while its probe hangs', async () => {
    const clock = new FakeClock();
    const outages = new Outages({ clock, probe: () => new Promise(() => undefined) });
    const budget = new AbortController();
    const { signal } = budget;
    const found = [1, 2].map(() =>
      outages.failed(STORE, {}, { error, signal }).catch(() => 'over'),
    );
    await clock.advance(1_000);
    budget.abort();
    expect(await Promise.all(found)).toEqual(['over', 'over']);
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
    expect(await outages.failed(STORE, {}, { error, signal: never })).toBe('absent');
    const waiting = outages.admit(STORE, {}, never).then(() => 'tries');
    await clock.advance(1_000);
    expect(await waiting).toBe('tries');
    expect(probe).toHaveBeenCalledTimes(3);
  });
});

describe('a dependency that answers probes', () => {
  it('is absent when five records fail with no success between them', async () => {
    const { clock, outages, fail } = setUp(true);
    const finding = async (record: object = {}): Promise<string> => {
      const found = fail(record);
      await clock.advance(50);
      return found;
    };
    const one = {};
    for (let n = 0; n < 10; n += 1) expect(await finding(one)).toBe('answers'); // its own fault
    for (let n = 0; n < 3; n += 1) expect(await finding()).toBe('answers');
    outages.answered(STORE);
    for (let n = 0; n < 4; n += 1) expect(await finding()).toBe('answers');
    expect(await finding()).toBe('absent');
    expect(outages.absent()).toHaveLength(1);
  });
});

describe('a dependency that cannot be asked', () => {
  it.each([
    ['no probe', undefined],
    ['a probe that does not know it', () => Promise.resolve(undefined)],
  ])('is neither absent nor there, with %s', async (_, probe) => {
    const outages = new Outages({ clock: new FakeClock(), probe });
    const found = outages.failed('registry_unavailable', {}, { error, signal: never });
    expect(await found).toBe('unknown');
    expect(outages.absent()).toEqual([]);
  });
});
