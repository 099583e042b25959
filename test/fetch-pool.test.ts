import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FetchPool, type Place } from '../src/fetch-pool.ts';
import { FakeClock, settle } from './support/fake-clock.ts';

const never = new AbortController().signal;

function setUp(places: number) {
  const clock = new FakeClock();
  const pool = new FetchPool({ places, clock });
  /** Takes as many places as there are. */
  const fill = (dependency: string, flow = 'a', share?: number): Place[] => {
    const request = { dependency, flow, places: share };
    const taken: Place[] = [];
    for (let place = pool.tryEnter(request); place; place = pool.tryEnter(request)) {
      taken.push(place);
    }
    return taken;
  };
  return { clock, pool, fill };
}

/** Makes a host known as one that answers. */
function proven(pool: FetchPool, ...dependencies: string[]): void {
  for (const dependency of dependencies) pool.tryEnter({ dependency, flow: 'a' })?.leave(true);
}

describe('places for fetches', () => {
  it('go to one host alone but for a quarter, and for its own bound', () => {
    const { pool, fill } = setUp(16);
    proven(pool, 'https://one', 'https://two');
    expect(fill('https://one')).toHaveLength(12);
    expect(fill('https://two')).toHaveLength(4);
    expect(setUp(16).fill('https://one', 'a', 8)).toHaveLength(8);
    expect(setUp(1).fill('https://one')).toHaveLength(1);
  });

  it('are left in part to hosts that answer, however many others there are', () => {
    const { pool, fill } = setUp(16);
    proven(pool, 'https://answers');
    pool.tryEnter({ dependency: 'https://silent', flow: 'a' })?.leave(false);
    const unproven = ['silent', ...Array.from({ length: 50 }, (_, n) => `host-${n}`)];
    const taken = unproven.flatMap((host) => fill(`https://${host}`, 'a', 1));
    expect(taken).toHaveLength(12);
    expect(fill('https://answers')).toHaveLength(4);
    for (const place of taken) place.leave(false);
    expect(fill('https://silent')).toHaveLength(12);
  });

  it('go to flows in turn by the time that their fetches take, not by their number', async () => {
    const { clock, pool } = setUp(1);
    const served: string[] = [];
    const work = async (flow: string, ms: number): Promise<void> => {
      const place = await pool.enter({ dependency: 'https://one', flow }, never);
      served.push(flow);
      await clock.sleep(ms);
      place.leave(true);
    };
    for (let n = 0; n < 20; n += 1) void work('slow', 1_000);
    for (let n = 0; n < 40; n += 1) void work('fast', 100);
    await clock.advance(6_000);
    const counts = Object.groupBy(served, (flow) => flow);
    expect(counts['slow']?.length).toBeLessThanOrEqual(5);
    expect(counts['fast']?.length).toBeGreaterThanOrEqual(20);
  });

  it('are not waited for any more by what was given up', async () => {
    const { pool, fill } = setUp(1);
    const [place] = fill('https://one');
    const ended = new AbortController();
    const waiting = pool.enter({ dependency: 'https://one', flow: 'a' }, ended.signal);
    ended.abort(new Error('revoked'));
    await expect(waiting).rejects.toThrow('revoked');
    place?.leave(true);
    place?.leave(true); // again, without effect
    expect(fill('https://one')).toHaveLength(1);
  });

  it('are all in use while any fetch waits that may have one, and never too many', async () => {
    const hosts = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ enter: hosts, flow: fc.constantFrom('x', 'y') }),
      fc.record({ leave: fc.nat(), answered: fc.constantFrom(true, false, undefined) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { pool } = setUp(4);
        const inside: Array<{ host: string; place: Place }> = [];
        let waiting = 0;
        for (const each of steps) {
          if ('enter' in each) {
            waiting += 1;
            const { enter: host, flow } = each;
            void pool.enter({ dependency: host, flow }, never).then((place) => {
              waiting -= 1;
              inside.push({ host, place });
            });
          } else {
            inside
              .splice(each.leave % Math.max(1, inside.length), 1)[0]
              ?.place.leave(each.answered);
          }
          await settle();
          const byHost = Map.groupBy(inside, ({ host }) => host);
          expect(inside.length).toBeLessThanOrEqual(4);
          for (const all of byHost.values()) expect(all.length).toBeLessThanOrEqual(3);
          // One host has three at most; all that answer not have three together.
          if (waiting > 0) expect(inside.length).toBeGreaterThanOrEqual(3);
        }
      }),
    );
  });
});
