import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';

/**
 * What `work` comes to, if it does so in time: kafkajs may wait for ever for a broker that has left.
 * Throws AppError `kafka_unavailable` after `ms`; nobody then looks at what becomes of the work.
 *
 * @param doing - for the message: `committing images/3`
 */
export async function within<T>(
  work: Promise<T>,
  { clock, ms, doing }: { clock: Clock; ms: number; doing: string },
): Promise<T> {
  const patience = new AbortController();
  const late = clock.sleep(ms, patience.signal).then(() => {
    throw new AppError('kafka_unavailable', `${doing}: no answer for ${ms / 1000} s`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    patience.abort();
  }
}

/** Waits until `work` has settled, for `ms` at most; false when it has not. Never rejects. */
export async function settles(
  work: Promise<unknown>,
  { clock, ms }: { clock: Clock; ms: number },
): Promise<boolean> {
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  return within(settled, { clock, ms, doing: 'closing' }).then(
    () => true,
    () => false,
  );
}
