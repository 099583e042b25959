import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable, unfetchable } from './fetch-faults.ts';
import { LibraryFault } from './library-fault.ts';
import { exchangeKind, isParserCode } from './network-faults.ts';

/** How far an attempt came; the attempt keeps it up to date. */
export interface Progress {
  /** What was asked last. */
  dependency: string;
  /** 0 until the head of an answer has come. */
  status: number;
  /** Bytes of the body that have come. */
  bytes: number;
}

export interface WholeAnswerOptions {
  /** What the image is called in messages. */
  name: string;
  signal: AbortSignal;
  /** Before the first repeat; doubled for the second. */
  repeatDelayMs: number;
  progress: Progress;
  /** See `ImageFetcher.probe`. */
  probe: (dependency: string, signal: AbortSignal) => Promise<boolean>;
}

const ATTEMPTS = 3;

/**
 * Repeats `ask` while its answer breaks off or is malformed. A host that gives one reference such an answer each
 * time is no outage: when the last answers broke in the same place, the reference is `image_unfetchable`. An
 * outage breaks answers in changing places, or gives none; a connection that is closed without a byte counts as an
 * answer only if the host then answers a probe. Other errors pass through.
 */
export async function untilWhole(
  ask: (attempt: number) => Promise<Buffer>,
  { name, signal, repeatDelayMs, progress, probe }: WholeAnswerOptions,
): Promise<Buffer> {
  const start = { ...progress };
  let last = '';
  for (let attempt = 1; ; attempt += 1) {
    Object.assign(progress, start, { status: 0, bytes: 0 });
    try {
      return await ask(attempt);
    } catch (error) {
      if (signal.aborted || !isBroken(error)) throw error;
      const { dependency, status, bytes } = progress;
      const place = `${dependency} ${status} ${bytes} ${error.code}`;
      if (attempt === ATTEMPTS) {
        const why = `no whole answer (${error.code})`;
        const { cause } = error;
        const answered = status > 0 || isParserCode(error.code);
        if (place === last && (answered || (await probe(dependency, signal)))) {
          throw unfetchable(name, `${why}, the same ${ATTEMPTS} times`, cause);
        }
        throw unavailable(name, { why, dependency, cause });
      }
      last = place;
      await sleep(repeatDelayMs * attempt, undefined, { signal });
    }
  }
}

function isBroken(error: unknown): error is LibraryFault {
  return error instanceof LibraryFault && exchangeKind(error.code) === 'broken';
}
