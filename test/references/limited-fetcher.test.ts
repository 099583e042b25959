import { expect, it } from '@jest/globals';
import { Gate } from '../../src/gate.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { limitFetches, limitFetchesPerHost } from '../../src/references/limited-fetcher.ts';
import { settle } from '../support/fake-clock.ts';

/** A fetcher whose fetches end when they are told to. */
function slowFetcher() {
  const running = new Map<string, PromiseWithResolvers<Buffer>>();
  const fetcher: OpenFetcher = {
    schemes: ['http'],
    probe: () => Promise.resolve(true),
    fetch: (uri) => {
      const fetching = Promise.withResolvers<Buffer>();
      running.set(uri, fetching);
      return fetching.promise.finally(() => running.delete(uri));
    },
    close: () => Promise.resolve(),
  };
  return { fetcher, running };
}

it('lets fetchers that share a gate share its places', async () => {
  const { fetcher, running } = slowFetcher();
  const gate = new Gate(2);
  const one = limitFetches(fetcher, gate);
  const other = limitFetches(fetcher, gate);
  const fetches = [one.fetch('a'), other.fetch('b'), one.fetch('c')];
  await settle();
  expect([...running.keys()]).toEqual(['a', 'b']);

  running.get('a')?.reject(new Error('lost'));
  await expect(fetches[0]).rejects.toThrow('lost');
  await settle();
  expect([...running.keys()]).toEqual(['b', 'c']);
  for (const { resolve } of running.values()) resolve(Buffer.from('x'));
  await Promise.all(fetches.slice(1));
  expect(gate.count).toBe(0);
});

it('does not begin what was aborted while it waited', async () => {
  const { fetcher, running } = slowFetcher();
  const limited = limitFetches(fetcher, new Gate(1));
  const first = limited.fetch('a');
  const abort = new AbortController();
  const second = limited.fetch('b', abort.signal);
  const reason = new Error('shutting down');
  await settle();
  abort.abort(reason);
  running.get('a')?.resolve(Buffer.from('x'));
  await first;
  await expect(second).rejects.toBe(reason);
  expect(running.size).toBe(0);
});

it('keeps no host waiting for another', async () => {
  const { fetcher, running } = slowFetcher();
  const limited = limitFetchesPerHost(fetcher, 1);
  const uris = ['http://slow/1', 'http://slow/2', 'http://quick/1'];
  const fetches = uris.map((uri) => limited.fetch(uri));
  await settle();
  expect([...running.keys()]).toEqual(['http://slow/1', 'http://quick/1']);

  running.get('http://slow/1')?.resolve(Buffer.from('x'));
  await settle();
  expect([...running.keys()]).toEqual(['http://quick/1', 'http://slow/2']);
  for (const { resolve } of running.values()) resolve(Buffer.from('x'));
  await Promise.all(fetches);
});
