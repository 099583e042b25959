import { messageOf } from '../errors.ts';
import type { Clock } from '../clock.ts';
import { noFaults, type FaultPoints } from '../fault-points.ts';
import type { Logger } from '../logger.ts';
import type { Commit } from './offset-ledger.ts';
import { repeat } from './repeat.ts';

/** What knows which offsets may be committed: one ledger, or those of all lanes. */
export interface Committable<C extends Commit> {
  /** What is worth committing: all that has moved since the last commit. */
  committable(): C[];
  /** Notes that the broker has accepted `commits`. */
  confirm(commits: readonly C[]): void;
}

export interface CommitLoopParts<C extends Commit> {
  ledger: Committable<C>;
  /** Makes one attempt to commit, in the generation of this moment. */
  commit: (commits: readonly C[]) => Promise<void>;
  /**
   * Offsets are committed in the transactions of their verdicts: what the ledger calls resolved is committed already.
   * A commit of ours could land behind a newer one and take it back. @default false
   */
  transactional?: boolean;
  faults?: FaultPoints | undefined;
  clock: Clock;
  intervalMs: number;
  logger?: Logger | undefined;
}

/** Attempts of the last commit: nobody comes after it to make up for a failure. */
const FINAL_ATTEMPTS = 3;
/** While commits fail, that is logged this often, in ms. */
const WARN_EVERY_MS = 10_000;

/**
 * Commits what the ledger allows, at most once each interval and only when something is new. Commits never
 * overlap, so an older one cannot land on a newer one. A failed commit is made up for by the next.
 */
export class CommitLoop<C extends Commit> {
  readonly #parts: CommitLoopParts<C>;
  readonly #abort = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #warnedAt = -Infinity;

  constructor(parts: CommitLoopParts<C>) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, intervalMs } = this.#parts;
    void repeat({ clock, intervalMs, signal: this.#abort.signal }, () => this.flush());
  }

  /** Commits now, after the commit that is under way. Never rejects. */
  flush(): Promise<void> {
    this.#last = this.#last.then(() => this.#commit());
    return this.#last;
  }

  /** Ends the loop with a last commit. Never rejects. */
  async close(): Promise<void> {
    const { ledger, clock, logger } = this.#parts;
    this.#abort.abort();
    await this.flush();
    for (let attempt = 1; ledger.committable().length > 0; attempt += 1) {
      if (attempt === FINAL_ATTEMPTS) {
        logger?.warn(
          { commits: ledger.committable() },
          'the last offsets could not be committed: their records are read again by the next owner',
        );
        return;
      }
      await clock.sleep(100);
      await this.flush();
    }
  }

  async #commit(): Promise<void> {
    const { ledger, transactional } = this.#parts;
    const commits = ledger.committable();
    if (transactional) ledger.confirm(commits);
    else await this.#send(commits);
  }

  async #send(commits: readonly C[]): Promise<void> {
    const { ledger, commit, clock, logger, faults = noFaults } = this.#parts;
    if (commits.length === 0) return;
    try {
      faults.reach('committing');
      await commit(commits);
      faults.reach('committed');
      ledger.confirm(commits);
    } catch (error) {
      // During a rebalance this is ordinary; and whatever it is, the heartbeat decides about the membership.
      const level = clock.elapsed() - this.#warnedAt < WARN_EVERY_MS ? 'debug' : 'warn';
      if (level === 'warn') this.#warnedAt = clock.elapsed();
      logger?.[level]({ commits, error: messageOf(error) }, 'committing offsets failed');
    }
  }
}
