/** The least that is asked for, in bytes. The broker answers with one batch however large it is. */
export const SMALLEST_FETCH_BYTES = 64 * 1024;
/** By which an answer in time raises what is asked for, in bytes. */
const STEP_BYTES = 64 * 1024;
/** Refusals of the smallest request before partitions are asked for one at a time. */
const REFUSALS_TO_SINGLE = 2;
/** Refusals of one partition by itself, and how long it was tried, before its record is taken to exceed the quota. */
const REFUSALS_TO_GIVE_UP = 3;
const GIVE_UP_MS = 30_000;

/**
 * How much one broker is asked for while it throttles this client. A broker holds what it sends against
 * `consumer_byte_rate` over a window of some ten seconds. An answer that would exceed the quota is not sent: the
 * client gets an empty one and has to wait, longer the larger the answer would have been (KIP-219). Small requests fit
 * into what is left of the window, so a refusal makes requests as small as can be, and answers raise them slowly.
 */
export class BrokerPace {
  readonly #maxBytes: number;
  /** The size of the next request, in bytes. */
  bytes: number;
  /** Refusals of the smallest request in a row, and since when, on the monotonic clock. */
  #refusals = 0;
  #refusedSince = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.bytes = maxBytes;
  }

  /** True when even the smallest request is refused: one partition alone tells whose record it is. */
  get isSingle(): boolean {
    return this.#refusals >= REFUSALS_TO_SINGLE;
  }

  answered(): void {
    this.#refusals = 0;
    this.bytes = Math.min(this.#maxBytes, this.bytes + STEP_BYTES);
  }

  /**
   * The broker has sent nothing, because of the quota. True when the window must have emptied meanwhile: then the batch
   * itself exceeds it, unless other clients share the quota.
   */
  refused(now: number): boolean {
    const isSmallest = this.bytes <= SMALLEST_FETCH_BYTES;
    this.bytes = Math.min(this.#maxBytes, SMALLEST_FETCH_BYTES);
    if (!isSmallest) return false;
    if (this.#refusals === 0) this.#refusedSince = now;
    this.#refusals += 1;
    return (
      this.#refusals >= REFUSALS_TO_SINGLE + REFUSALS_TO_GIVE_UP &&
      now - this.#refusedSince >= GIVE_UP_MS
    );
  }

  /** Another partition is asked for next. */
  turned(): void {
    this.#refusals = 0;
  }
}
