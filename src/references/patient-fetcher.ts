import type { Clock } from '../clock.ts';
import { AppError, messageOf } from '../errors.ts';
import { hold } from '../hold.ts';
import type { OpenFetcher } from './image-fetcher.ts';

export interface PatienceOptions {
  /** Attempts before a reference is given up. */
  attempts: number;
  clock: Clock;
}

/**
 * Gives a reference up whose store stays away, for stores that are not ours to wait for: after the last attempt
 * AppError `image_host_unavailable` is thrown, which is a verdict's reason, and not `image_store_unavailable`, which
 * would hold the record and its partition for as long as the store is away.
 */
export function withLimitedPatience(
  fetcher: OpenFetcher,
  { attempts, clock }: PatienceOptions,
): OpenFetcher {
  return {
    ...fetcher,
    fetch: async (uri, signal) => {
      const enough = new AbortController();
      try {
        return await hold(() => fetcher.fetch(uri, signal), {
          clock,
          signal: signal ?? enough.signal,
          givenUp: enough.signal,
          onRetry: (_, attempt) => {
            if (attempt >= attempts) enough.abort();
          },
        });
      } catch (error) {
        if (!enough.signal.aborted) throw error;
        const message = `${messageOf(error)}; given up after ${attempts} attempts`;
        const dependency = error instanceof AppError ? error.dependency : undefined;
        throw new AppError('image_host_unavailable', message, { cause: error, dependency });
      }
    },
  };
}
