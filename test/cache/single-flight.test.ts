import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SingleFlight } from '../../src/cache/single-flight.ts';
import { settle } from '../support/fake-clock.ts';

function deferred<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let begun = 0;
  const work = (): Promise<T> => {
    begun += 1;
    return promise;
  };
  return { work, resolve, reject, begun: () => begun };
}

const never = (): Promise<number> => {
  throw new Error('this work was not to be begun');
};

describe('SingleFlight', () => {
  it('does the work once for all who want it meanwhile', async () => {
    const flights = new SingleFlight<number>();
    const leader = deferred<number>();
    const all = [flights.run('a', leader.work), flights.run('a', never), flights.run('a', never)];
    leader.resolve(7);
    expect(await Promise.all(all)).toEqual([7, 7, 7]);
    expect(leader.begun()).toBe(1);
  });

  it('remembers nothing afterwards, whether it went well or not', async () => {
    const flights = new SingleFlight<number>();
    expect(await flights.run('a', () => Promise.resolve(1))).toBe(1);
    await expect(flights.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await flights.run('a', () => Promise.resolve(2))).toBe(2);
    expect(flights.size).toBe(0);
  });

  it('keeps keys apart', async () => {
    const flights = new SingleFlight<number>();
    const slow = deferred<number>();
    const first = flights.run('a', slow.work);
    expect(await flights.run('b', () => Promise.resolve(2))).toBe(2);
    slow.resolve(1);
    expect(await first).toBe(1);
  });

  it('lets each follower do its own work when the leader fails, all at once', async () => {
    const flights = new SingleFlight<number>();
    const leader = deferred<number>();
    const own = [deferred<number>(), deferred<number>()] as const;
    const revoked = new Error('partition revoked');
    const lost = flights.run('a', leader.work);
    const followers = own.map(({ work }) => flights.run('a', work));
    leader.reject(revoked);
    await expect(lost).rejects.toBe(revoked);
    await settle();
    expect(own.map((each) => each.begun())).toEqual([1, 1]);
    own[0].resolve(1);
    own[1].resolve(2);
    expect(await Promise.all(followers)).toEqual([1, 2]);
    expect(flights.size).toBe(0);
  });

  it('gives a follower its own error, not the leader’s', async () => {
    const flights = new SingleFlight<number>();
    const leader = deferred<number>();
    const lost = flights.run('a', leader.work);
    const follower = flights.run('a', () => Promise.reject(new Error('mine')));
    leader.reject(new Error('theirs'));
    await expect(lost).rejects.toThrow('theirs');
    await expect(follower).rejects.toThrow('mine');
  });

  it('lets newcomers follow one who works after a failed leader', async () => {
    const flights = new SingleFlight<number>();
    const leader = deferred<number>();
    const second = deferred<number>();
    const lost = flights.run('a', leader.work);
    const follower = flights.run('a', second.work);
    const beside = flights.run('a', () => Promise.resolve(6));
    leader.reject(new Error('lost'));
    await expect(lost).rejects.toThrow('lost');
    expect(await beside).toBe(6);
    const newcomer = flights.run('a', never);
    second.resolve(5);
    expect(await Promise.all([follower, newcomer])).toEqual([5, 5]);
  });

  it('lets a follower leave without disturbing anybody', async () => {
    const flights = new SingleFlight<number>();
    const leader = deferred<number>();
    const leaving = new AbortController();
    const led = flights.run('a', leader.work);
    const left = flights.run('a', never, leaving.signal);
    const stays = flights.run('a', never, new AbortController().signal);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'partition_revoked' });
    leader.resolve(3);
    expect(await Promise.all([led, stays])).toEqual([3, 3]);
  });

  it('begins nothing for a follower that had left when the leader failed', async () => {
    const flights = new SingleFlight<number>();
    const leader = deferred<number>();
    const lost = flights.run('a', leader.work);
    await expect(flights.run('a', never, AbortSignal.abort())).rejects.toMatchObject({
      code: 'partition_revoked',
    });
    leader.reject(new Error('lost'));
    await expect(lost).rejects.toThrow('lost');
    await settle();
  });

  it('takes work that throws at once for work that failed', async () => {
    const flights = new SingleFlight<number>();
    await expect(flights.run('a', never)).rejects.toThrow('not to be begun');
    expect(flights.size).toBe(0);
  });

  it('answers everybody with a result of their key, whoever fails, and never works twice in vain', async () => {
    const wish = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      fails: fc.boolean(),
      turns: fc.nat(3),
      leaves: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { maxLength: 20 }), async (wishes) => {
        const flights = new SingleFlight<string>();
        const worked = new Map<number, boolean>();
        const outcomes = await Promise.allSettled(
          wishes.map(async ({ key, fails, turns, leaves }, i) => {
            const work = async (): Promise<string> => {
              worked.set(i, false);
              for (let turn = 0; turn < turns; turn++) await Promise.resolve();
              if (fails) throw new Error(`own ${i}`);
              worked.set(i, true);
              return key;
            };
            const leaving = new AbortController();
            if (leaves) queueMicrotask(() => leaving.abort());
            return flights.run(key, work, leaving.signal);
          }),
        );
        outcomes.forEach((outcome, i) => {
          if (outcome.status === 'fulfilled') expect(outcome.value).toBe(wishes[i]?.key);
          else expect((outcome.reason as Error).message).toMatch(new RegExp(`^own ${i}$|revoked$`));
          // Who neither left nor failed has an answer.
          if (!wishes[i]?.leaves && !wishes[i]?.fails) expect(outcome.status).toBe('fulfilled');
        });
        for (const key of ['a', 'b', 'c']) {
          const mine = wishes.flatMap((each, i) => (each.key === key ? [i] : []));
          const first = mine[0];
          // All came at once: after a leader that did not fail, nobody worked.
          if (first !== undefined && !wishes[first]?.fails) {
            expect(mine.filter((i) => worked.has(i))).toEqual([first]);
          }
        }
        expect(flights.size).toBe(0);
      }),
    );
  });
});
