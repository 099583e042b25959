import { describe, expect, it } from '@jest/globals';
import { settle } from './support/fake-clock.ts';
import { absent, fault, present, setUp } from './support/journey.ts';

describe('a stage that shares the places for fetches', () => {
  const need = { dependency: 's3://bucket', flow: 'images/3' };

  it('waits for one without a slot, and is not parked: it is no outage', async () => {
    const it = setUp({ places: 1 });
    const place = it.fetches.tryEnter(need);
    await it.slot.take();
    const result = it.journey.stage('fetch', () => Promise.resolve('bytes'), need);
    await settle();
    expect([it.gate.count, it.parked.now]).toEqual([0, 0]);
    place?.leave(true);
    await expect(result).resolves.toBe('bytes');
    expect(it.gate.count).toBe(1);
    expect(it.fetches.tryEnter(need)).toBeDefined(); // it gave its place back
  });

  it('ends as revoked when its partition is, and takes no place', async () => {
    const it = setUp({ places: 1 });
    const place = it.fetches.tryEnter(need);
    const result = it.journey.stage('fetch', () => Promise.resolve('bytes'), need);
    await settle();
    it.revoking.abort();
    await expect(result).rejects.toMatchObject({ code: 'partition_revoked' });
    place?.leave(true);
    expect(it.fetches.tryEnter(need)).toBeDefined();
  });

  it('does not try a dependency that is known to be absent', async () => {
    const it = setUp({ probe: absent });
    await it.outages.failed('s3://bucket', {}, { error: fault(), signal: it.ending.signal });
    let attempts = 0;
    const work = (): Promise<string> => Promise.resolve(`attempt ${(attempts += 1)}`);
    const result = it.journey.stage('fetch', work, need);
    await it.clock.advance(60_000);
    expect([attempts, it.parked.now]).toEqual([0, 1]);
    it.outages.answered('s3://bucket');
    await expect(result).resolves.toBe('attempt 1');
  });
});

describe('a stage that a redirect has led to an absent host', () => {
  it('waits for that host and not for the one that answered with the redirect', async () => {
    const it = setUp({ probe: absent });
    const need = { dependency: 'https://redirects.example', flow: 'images/3' };
    let attempts = 0;
    const work = (): Promise<never> => {
      attempts += 1;
      return Promise.reject(fault());
    };
    const result = it.journey.stage('fetch', work, need);
    result.catch(() => undefined);
    await it.clock.advance(5_000);
    expect(it.outages.absent()).toMatchObject([{ dependency: 's3://bucket', waiting: 1 }]);
    it.ending.abort();
    await expect(result).rejects.toMatchObject({ dependency: 's3://bucket' });
    expect(attempts).toBe(1);
  });

  it('leaves the outage open when it has tried for all and failed again', async () => {
    let answers = false;
    const it = setUp({ probe: () => Promise.resolve(answers) });
    const need = { dependency: 'https://redirects.example', flow: 'images/3' };
    let attempts = 0;
    const work = (): Promise<never> => {
      attempts += 1;
      answers = false; // back for no longer than a probe
      return Promise.reject(fault());
    };
    const result = it.journey.stage('fetch', work, need);
    result.catch(() => undefined);
    await it.clock.advance(1_000);
    let wasReleased = false;
    void it.outages.admit('s3://bucket', {}, it.ending.signal).then(
      () => (wasReleased = true),
      () => undefined,
    );
    answers = true;
    await it.clock.advance(30_000);
    expect([attempts, wasReleased]).toEqual([2, false]);
    it.ending.abort();
    await expect(result).rejects.toMatchObject({ dependency: 's3://bucket' });
  });
});

describe('a stage whose dependency is not ours to wait for', () => {
  const patience = { attempts: 3, absentMs: 30_000, code: 'image_host_unavailable' } as const;
  const need = { dependency: 's3://bucket', flow: 'images/3', patience };

  it('is given up after so many failures', async () => {
    const it = setUp({ probe: present });
    let attempts = 0;
    const fail = (): Promise<never> => {
      attempts += 1;
      return Promise.reject(fault());
    };
    const result = it.journey.stage('fetch', fail, need);
    result.catch(() => undefined);
    await it.clock.advance(60_000);
    await expect(result).rejects.toMatchObject({
      code: 'image_host_unavailable',
      disposition: 'not-inspected',
      message: expect.stringContaining('given up: failed 3 times') as unknown,
    });
    expect(attempts).toBe(3);
  });

  it('is given up when the dependency stays absent, and at once when it has been for long', async () => {
    const it = setUp({ probe: absent });
    const result = it.journey.stage('fetch', () => Promise.reject(fault()), need);
    result.catch(() => undefined);
    await it.clock.advance(29_999);
    expect(await Promise.race([result, settle().then(() => 'waits')])).toBe('waits');
    await it.clock.advance(1);
    await expect(result).rejects.toMatchObject({
      code: 'image_host_unavailable',
      message: expect.stringContaining('given up: absent for 30 s') as unknown,
    });
    // The first record after a while tries for all of them; those beside it are given up without an attempt.
    await it.clock.advance(15_000);
    const trial = {};
    expect(it.outages.mayTry('s3://bucket', trial)).toBe(true);
    const other = it.journey.stage('fetch', () => Promise.resolve('bytes'), need);
    await expect(other).rejects.toMatchObject({ code: 'image_host_unavailable' });
  });
});
