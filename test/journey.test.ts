import { describe, expect, it } from '@jest/globals';
import { settle } from './support/fake-clock.ts';
import { absent, fault, HOUR, present, setUp, stage } from './support/journey.ts';

describe('a stage whose dependency is absent', () => {
  it('gives its slot back and is parked while it waits, and takes both up again', async () => {
    const it = setUp({ probe: absent });
    await it.slot.take();
    let isAway = true;
    const { result } = stage(it, 'fetch', () =>
      isAway ? Promise.reject(fault()) : Promise.resolve('bytes'),
    );
    await it.clock.advance(60_000);
    expect([it.gate.count, it.parked.now]).toEqual([0, 1]);
    expect(it.outages.absent()).toMatchObject([{ dependency: 's3://bucket', waiting: 1 }]);

    isAway = false;
    await it.gate.enter(); // another record has the only place
    expect(it.parked.now).toBe(1);
    it.gate.leave();
    await it.clock.advance(60_000);
    // The probe says that it is still absent, so nothing is tried.
    expect(await Promise.race([result, settle()])).toBeUndefined();
  });

  it('goes on once the dependency answers and there is a place for it', async () => {
    let isAway = true;
    const it = setUp({ probe: () => Promise.resolve(!isAway) });
    await it.slot.take();
    const { result, attempts } = stage(it, 'fetch', () =>
      isAway ? Promise.reject(fault()) : Promise.resolve('bytes'),
    );
    await it.clock.advance(60_000);
    expect(attempts.made).toBe(1); // probes ask, not the record
    await it.gate.enter();
    isAway = false;
    await it.clock.advance(15_000);
    expect([attempts.made, it.parked.now]).toEqual([1, 1]);
    it.gate.leave();
    await expect(result).resolves.toBe('bytes');
    expect([attempts.made, it.parked.now, it.gate.count]).toEqual([2, 0, 1]);
    expect(it.clock.sleeping).toBe(0);
  });

  it('takes its place again although all places wait for an emission: exactly once, they wait for its own', async () => {
    let isAway = true;
    const it = setUp({ probe: () => Promise.resolve(!isAway) });
    await it.slot.take();
    const { result } = stage(it, 'fetch', () =>
      isAway ? Promise.reject(fault()) : Promise.resolve('bytes'),
    );
    await it.clock.advance(60_000);
    const younger = setUp({ gate: it.gate });
    await younger.slot.take();
    const { promise, resolve } = Promise.withResolvers<string>();
    const { result: emitted } = stage(younger, 'emit', () => promise);
    isAway = false;
    await it.clock.advance(15_000);
    await expect(result).resolves.toBe('bytes');
    expect(it.gate.count).toBe(2);
    resolve('acknowledged');
    await expect(emitted).resolves.toBe('acknowledged');
    for (const { slot } of [it, younger]) slot.giveBack();
    expect(it.gate.count).toBe(0);
  });

  it.each(['dead-letter', 'not-inspected'] as const)(
    'is given up as %s when it is absent for longer than a record may wait',
    async (onOutageTimeout) => {
      const it = setUp({ probe: absent, limits: { outageTimeoutMs: 60_000, onOutageTimeout } });
      await it.slot.take();
      const { result } = stage(it, 'fetch', () => Promise.reject(fault()));
      await it.clock.advance(59_999);
      expect(it.outages.absent()).toHaveLength(1);
      await it.clock.advance(1);
      await expect(result).rejects.toMatchObject({
        code: 'image_store_unavailable',
        disposition: onOutageTimeout,
        dependency: 's3://bucket',
        message: expect.stringContaining('given up: absent for 60 s') as unknown,
      });
      expect([it.parked.now, it.gate.count, it.clock.sleeping]).toEqual([0, 1, 0]);
    },
  );

  it('counts all its outages as one wait', async () => {
    let answers = false;
    const it = setUp({
      probe: () => Promise.resolve(answers),
      limits: { outageTimeoutMs: 100_000 },
    });
    const { result, attempts } = stage(it, 'fetch', () => {
      answers = false; // back for no longer than a probe
      return Promise.reject(fault());
    });
    await it.clock.advance(50_000);
    answers = true;
    await it.clock.advance(20_000);
    expect(attempts.made).toBe(2);
    await it.clock.advance(29_999);
    expect(it.outages.absent()).toHaveLength(1);
    await it.clock.advance(1);
    await expect(result).rejects.toMatchObject({ disposition: 'dead-letter' });
  });

  it('is a dead letter in the end when it is the schema registry: there is no event to judge', async () => {
    const it = setUp({ limits: { outageTimeoutMs: 1_000, onOutageTimeout: 'not-inspected' } });
    const { result } = stage(it, 'decode', () => Promise.reject(fault('registry_unavailable')));
    await it.clock.advance(1_000);
    await expect(result).rejects.toMatchObject({
      code: 'registry_unavailable',
      disposition: 'dead-letter',
    });
  });

  it('is never given up when its verdict is to be emitted', async () => {
    const it = setUp({ probe: present, limits: { outageTimeoutMs: 1_000 } });
    let isAway = true;
    const { result, attempts } = stage(it, 'emit', () =>
      isAway ? Promise.reject(fault('registry_unavailable')) : Promise.resolve('emitted'),
    );
    await it.clock.advance(24 * HOUR);
    expect(attempts.made).toBeGreaterThan(1_000);
    isAway = false;
    await it.clock.advance(15_000);
    await expect(result).resolves.toBe('emitted');
  });
});

describe('a stage that fails while its dependency answers others', () => {
  it('is the record’s fault after six failures', async () => {
    const it = setUp({ probe: present });
    const { result, attempts } = stage(it, 'fetch', () => Promise.reject(fault()));
    await it.clock.advance(60_000);
    await expect(result).rejects.toMatchObject({
      code: 'image_store_unavailable',
      disposition: 'dead-letter',
      message: expect.stringContaining('failed 6 times') as unknown,
    });
    expect(attempts.made).toBe(6);
  });

  it('is not, as long as the dependency cannot be asked: it counts as absent', async () => {
    const it = setUp();
    const { attempts } = stage(it, 'fetch', () => Promise.reject(fault()));
    await it.clock.advance(HOUR - 1);
    expect(attempts.made).toBeGreaterThan(100);
    expect(it.parked.now).toBe(1);
  });

  it('may fail a few times and go on', async () => {
    const it = setUp({ probe: present });
    let left = 5;
    const { result } = stage(it, 'fetch', () =>
      left-- > 0 ? Promise.reject(fault()) : Promise.resolve('bytes'),
    );
    await it.clock.advance(60_000);
    await expect(result).resolves.toBe('bytes');
  });
});

describe('a stage that waits', () => {
  it('ends as revoked when its partition is', async () => {
    const it = setUp({ probe: absent });
    await it.slot.take();
    const { result } = stage(it, 'fetch', () => Promise.reject(fault()));
    await it.clock.advance(5_000);
    it.revoking.abort();
    await expect(result).rejects.toMatchObject({
      code: 'partition_revoked',
      disposition: 'revoked',
      message: expect.stringContaining('images/3/7') as unknown,
    });
    expect([it.parked.now, it.outages.absent()]).toMatchObject([0, [{ waiting: 0 }]]);
    await settle();
    expect(it.clock.sleeping).toBe(0);
  });

  it('ends with the outage itself when the process ends', async () => {
    const it = setUp({ probe: absent });
    const error = fault();
    const { result } = stage(it, 'fetch', () => Promise.reject(error));
    await it.clock.advance(5_000);
    it.ending.abort();
    await expect(result).rejects.toBe(error);
    await settle();
    expect(it.clock.sleeping).toBe(0);
  });

  it('is not waited for at all when the process is ending already', async () => {
    const it = setUp({ probe: absent });
    it.ending.abort();
    const { result, attempts } = stage(it, 'fetch', () => Promise.reject(fault()));
    await expect(result).rejects.toMatchObject({ disposition: 'retry' });
    expect([attempts.made, it.parked.now]).toEqual([1, 0]);
  });

  it('takes what is no outage as it is', async () => {
    const it = setUp({ probe: absent });
    const { result } = stage(it, 'fetch', () => Promise.reject(fault('image_not_found')));
    await expect(result).rejects.toMatchObject({ code: 'image_not_found' });
  });
});
