import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';

/** While it lasts, throttling is logged this often, in ms. */
const LOG_EVERY_MS = 60_000;

/** How long brokers have asked this client to slow down. */
export class Throttling {
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  #loggedAt = -Infinity;
  /** Together, in ms. */
  totalMs = 0;

  constructor(clock: Clock, logger: Logger | undefined) {
    this.#clock = clock;
    this.#logger = logger;
  }

  add(throttleMs: number, nodeId: number): void {
    this.totalMs += throttleMs;
    if (this.#clock.elapsed() - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = this.#clock.elapsed();
    this.#logger?.warn(
      { nodeId, throttleMs, throttledMs: this.totalMs },
      'the broker throttles this client: its quota (consumer_byte_rate of the user or client id) is used up; see kafka-configs.sh --describe --entity-type clients',
    );
  }
}
