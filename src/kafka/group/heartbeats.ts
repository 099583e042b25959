import type { Clock } from '../../clock.ts';

export interface HeartbeatsOptions {
  /** Sends one; true when the group calls for a rebalance. What it throws ends the membership. */
  beat: () => Promise<boolean>;
  intervalMs: number;
  clock: Clock;
  signal: AbortSignal;
  /** The group has answered. */
  onBeat: () => void;
}

/** Heartbeats on a timer of their own: they wait for no fetch and no record. */
export class Heartbeats implements Disposable {
  readonly #options: HeartbeatsOptions;
  readonly #stopping = new AbortController();
  readonly #ended = Promise.withResolvers<undefined>();

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
    this.#ended.promise.catch(() => undefined); // it may be lost while nobody waits
    void this.#run();
  }

  /** Resolves when the group calls for a rebalance or the signal aborts; rejects when the membership is lost. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  /** A heartbeat that is under way is not waited for: a broker may never answer it. */
  [Symbol.dispose](): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    const { beat, intervalMs, clock, onBeat } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, this.#stopping.signal]);
    signal.addEventListener('abort', () => this.#ended.resolve(undefined));
    try {
      while (await sleeps(clock, intervalMs, signal)) {
        if (await beat()) this.#ended.resolve(undefined);
        else onBeat();
      }
    } catch (error) {
      this.#ended.reject(error);
    }
  }
}

function sleeps(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}
