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
  /** True when the error need not strike each parcel of its request: they are then sent in smaller ones. */
  isOneParcelsFault: (error: unknown) => boolean;
  /** How long a parcel waits for others, in ms; not at all while a request is under way longer than that. */
  lingerMs: number;
  /** Bytes per request at the moment; a larger parcel is sent alone. */
  maxBytes: () => number;
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
  /** Of those that wait, together. */
  #bytes = 0;
  #messages = 0;
  /** Ends the lingering, while there is any. */
  #lingering: AbortController | undefined;
  #running = false;
  #hurried = false;

  constructor(options: SendQueueOptions<P>) {
    this.#options = options;
  }

  /** Settles with the request that the parcel was in. */
  add(parcel: P): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      const arrivedAt = this.#options.clock.elapsed();
      this.#waiting.push({ parcel, arrivedAt, resolve, reject });
    });
    this.#count(parcel, 1);
    if (this.#isFull()) this.#endLingering();
    if (!this.#running) void this.#run();
    return done;
  }

  /** From now on nothing lingers: there is nobody left to wait for. */
  hurry(): void {
    this.#hurried = true;
    this.#endLingering();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let oldest = this.#waiting[0]; oldest; oldest = this.#waiting[0]) {
      await this.#linger(oldest.arrivedAt);
      await this.#deliver(this.#take());
    }
    this.#running = false;
  }

  async #linger(since: number): Promise<void> {
    const { clock, lingerMs } = this.#options;
    const left = since + lingerMs - clock.elapsed();
    if (left <= 0 || this.#hurried || this.#isFull()) return;
    this.#lingering = new AbortController();
    await clock.sleep(left, this.#lingering.signal).catch(() => undefined); // hurried: there is enough
    this.#lingering = undefined;
  }

  /** At most once for each lingering: an abort is dear, and most parcels come when nobody lingers. */
  #endLingering(): void {
    this.#lingering?.abort();
    this.#lingering = undefined;
  }

  async #deliver(batch: Array<Waiting<P>>): Promise<void> {
    try {
      await this.#options.send(batch.map(({ parcel }) => parcel));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length > 1 && this.#options.isOneParcelsFault(error)) {
        // Halves, in order: few requests find the culprit, or the size that a smaller limit allows.
        const middle = Math.ceil(batch.length / 2);
        await this.#deliver(batch.slice(0, middle));
        await this.#deliver(batch.slice(middle));
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  /** As many of the waiting, in order, as one request holds; at least one. */
  #take(): Array<Waiting<P>> {
    const taken = this.#waiting.splice(0, Math.max(this.#fitting(), 1));
    for (const { parcel } of taken) this.#count(parcel, -1);
    return taken;
  }

  #count({ bytes, count }: Parcel, sign: 1 | -1): void {
    this.#bytes += sign * bytes;
    this.#messages += sign * count;
  }

  /** True when waiting longer would not make the next request larger. */
  #isFull(): boolean {
    const { maxBytes, maxMessages } = this.#options;
    return this.#bytes >= maxBytes() || this.#messages >= maxMessages;
  }

  #fitting(): number {
    const { maxMessages } = this.#options;
    const maxBytes = this.#options.maxBytes();
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
