import type { Clock } from '../clock.ts';

/** What goes into a request together or not at all. */
export interface Parcel {
  /** Bytes of its messages, uncompressed. */
  readonly bytes: number;
  /** How many messages. */
  readonly count: number;
}

export interface SendQueueOptions<P extends Parcel> {
  /** Sends some parcels in one request. Never called again before it settled. */
  send: (parcels: P[]) => Promise<void>;
  /** True when the error is one parcel's fault, so that the others of its request deserve a try of their own. */
  isOneParcelsFault: (error: unknown) => boolean;
  /** How long a parcel waits for others, in ms; not at all while a request is under way longer than that. */
  lingerMs: number;
  /** Of one request; a larger parcel travels alone. */
  maxBytes: number;
  maxMessages: number;
  clock: Clock;
}

interface Waiting<P> {
  parcel: P;
  arrivedAt: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers parcels into requests: one request at a time, and while it is under way the next one fills. How much
 * waits is bounded by the callers, each of which waits for its own parcel.
 */
export class SendQueue<P extends Parcel> {
  readonly #options: SendQueueOptions<P>;
  readonly #waiting: Array<Waiting<P>> = [];
  #hurry = new AbortController();
  #pump: Promise<void> | undefined;
  #closed = false;

  constructor(options: SendQueueOptions<P>) {
    this.#options = options;
  }

  /** Settles with the request that the parcel was in. */
  async add(parcel: P): Promise<void> {
    if (this.#closed) throw new Error('the queue is closed: nothing more can be sent');
    const done = new Promise<void>((resolve, reject) => {
      const arrivedAt = this.#options.clock.elapsed();
      this.#waiting.push({ parcel, arrivedAt, resolve, reject });
    });
    if (this.#isFull()) this.#hurry.abort();
    this.#pump ??= this.#run();
    return done;
  }

  /** Sends what waits at once; nothing can be added any more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#hurry.abort();
    await this.#pump;
  }

  async #run(): Promise<void> {
    for (;;) {
      const oldest = this.#waiting[0];
      if (oldest === undefined) break;
      await this.#linger(oldest.arrivedAt);
      await this.#deliver(this.#take());
    }
    this.#pump = undefined;
  }

  async #linger(since: number): Promise<void> {
    const { clock, lingerMs } = this.#options;
    const left = since + lingerMs - clock.elapsed();
    if (left <= 0 || this.#closed || this.#isFull()) return;
    this.#hurry = new AbortController();
    await clock.sleep(left, this.#hurry.signal).catch(() => undefined); // hurried: there is enough
  }

  async #deliver(batch: Array<Waiting<P>>): Promise<void> {
    try {
      await this.#options.send(batch.map(({ parcel }) => parcel));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length > 1 && this.#options.isOneParcelsFault(error)) {
        for (const each of batch) await this.#deliver([each]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  /** As many of the waiting, in order, as one request holds; at least one. */
  #take(): Array<Waiting<P>> {
    const count = this.#fitting();
    return this.#waiting.splice(0, Math.max(count, 1));
  }

  /** True when waiting longer would not make the next request larger. */
  #isFull(): boolean {
    const { maxBytes, maxMessages } = this.#options;
    let bytes = 0;
    let messages = 0;
    for (const { parcel } of this.#waiting) {
      bytes += parcel.bytes;
      messages += parcel.count;
      if (bytes >= maxBytes || messages >= maxMessages) return true;
    }
    return false;
  }

  #fitting(): number {
    const { maxBytes, maxMessages } = this.#options;
    let bytes = 0;
    let messages = 0;
    const tooMany = this.#waiting.findIndex(({ parcel }) => {
      bytes += parcel.bytes;
      messages += parcel.count;
      return bytes > maxBytes || messages > maxMessages;
    });
    return tooMany === -1 ? this.#waiting.length : tooMany;
  }
}
