import { Gate } from '../gate.ts';
import type { OpenFetcher } from './image-fetcher.ts';

/** Lets no more fetches run at once than `gate` admits; fetchers that share it share its places. */
export function limitFetches(fetcher: OpenFetcher, gate: Gate): OpenFetcher {
  return {
    ...fetcher,
    fetch: async (uri, signal) => {
      await gate.enter();
      try {
        signal?.throwIfAborted();
        return await fetcher.fetch(uri, signal);
      } finally {
        gate.leave();
      }
    },
  };
}

/** Lets no more than `max` fetches from one host run at once, so that a slow host does not keep others waiting. */
export function limitFetchesPerHost(fetcher: OpenFetcher, max: number): OpenFetcher {
  const gates = new Map<string, Gate>();
  return {
    ...fetcher,
    fetch: async (uri, signal) => {
      const host = URL.parse(uri)?.host ?? '';
      const gate = gates.get(host) ?? new Gate(max);
      gates.set(host, gate);
      try {
        return await limitFetches(fetcher, gate).fetch(uri, signal);
      } finally {
        if (gate.count === 0) gates.delete(host);
      }
    },
  };
}
