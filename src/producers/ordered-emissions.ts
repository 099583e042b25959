import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { totalBytes, type OutgoingMessage } from '../kafka/outgoing-message.ts';
import { MAX_REQUEST_MESSAGES } from '../kafka/request.ts';

/** A record whose emission will come, as its source delivered it. */
export interface Admitted {
  readonly record: { topic: string; partition: number; offset: number };
  readonly revoked: AbortSignal;
  rewind(): void;
}

/** The place of one record in the order of its partition. */
export interface Turn extends Omit<Admitted, 'revoked'> {
  /** What is emitted for it; undefined until it is judged and encoded. */
  messages: readonly OutgoingMessage[] | undefined;
  /** Bytes of the messages, as `totalBytes` counts them. */
  bytes: number;
  ready(messages: readonly OutgoingMessage[]): void;
  /** Rejects with `partition_revoked` when the record is not ours any more. */
  readonly done: Promise<void>;
}

export interface OrderedEmissionsOptions {
  /** The end of the tenure that the records were delivered in. */
  revoked: AbortSignal;
  /** Writes the emissions of some turns with the offset behind the last. Rewinds or throws when it cannot. */
  commit: (turns: readonly Turn[]) => Promise<void>;
  /** How long the first emission after a pause waits for others, in ms. */
  lingerMs: number;
  /** Bytes per transaction at the moment; a larger emission has a transaction of its own. */
  maxBytes: () => number;
  clock: Clock;
}

interface Waiting {
  turn: Turn;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** The emissions of one partition for as long as it is ours without interruption, in the order of the records. */
export class OrderedEmissions {
  readonly #options: OrderedEmissionsOptions;
  readonly #queue: Waiting[] = [];
  readonly #byOffset = new Map<number, Turn>();
  #running = false;
  #failure: { error: unknown } | undefined;

  constructor(options: OrderedEmissionsOptions) {
    this.#options = options;
    options.revoked.addEventListener('abort', () => this.#revoke(), { once: true });
  }

  get revoked(): AbortSignal {
    return this.#options.revoked;
  }

  admit(admitted: Admitted): void {
    const { promise: done, resolve, reject } = Promise.withResolvers<undefined>();
    done.catch(() => undefined); // whoever emits is told; nobody need have come so far
    const waiting: Waiting = {
      resolve: () => resolve(undefined),
      reject,
      turn: {
        record: admitted.record,
        rewind: () => admitted.rewind(),
        messages: undefined,
        bytes: 0,
        ready: (messages) => {
          waiting.turn.messages = messages;
          waiting.turn.bytes = totalBytes(messages);
          if (!this.#running) void this.#run();
        },
        done,
      },
    };
    if (this.#failure) reject(this.#failure.error);
    else this.#queue.push(waiting);
    this.#byOffset.set(admitted.record.offset, waiting.turn);
  }

  turnOf(offset: number): Turn | undefined {
    return this.#byOffset.get(offset);
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { lingerMs, clock, revoked } = this.#options;
    await Promise.resolve(); // what is ready in the same tick shares the transaction
    if (lingerMs > 0) await clock.sleep(lingerMs, revoked).catch(() => undefined);
    for (let due = this.#prefix(); due.length > 0; due = this.#prefix()) await this.#commit(due);
    this.#running = false;
  }

  async #commit(waiting: readonly Waiting[]): Promise<void> {
    try {
      await this.#options.commit(waiting.map(({ turn }) => turn));
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#options.revoked.aborted) return; // rewound: they were rejected
    this.#queue.splice(0, waiting.length);
    for (const { turn, resolve } of waiting) {
      this.#byOffset.delete(turn.record.offset);
      resolve();
    }
  }

  /** The oldest turns that are ready, as many as fit one transaction; at least one if it is ready. */
  #prefix(): Waiting[] {
    const prefix: Waiting[] = [];
    const maxBytes = this.#options.maxBytes();
    let bytes = 0;
    for (const waiting of this.#queue) {
      const { messages } = waiting.turn;
      if (messages === undefined || prefix.length >= MAX_REQUEST_MESSAGES) break;
      bytes += waiting.turn.bytes;
      if (prefix.length > 0 && bytes > maxBytes) break;
      prefix.push(waiting);
    }
    return prefix;
  }

  /** What is behind a turn that cannot be emitted may not be emitted either: its offset would say it was. */
  #fail(error: unknown): void {
    this.#failure = { error };
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }

  #revoke(): void {
    const { topic, partition } = this.#queue[0]?.turn.record ?? {};
    this.#fail(
      new AppError(
        'partition_revoked',
        `emitting for ${topic}/${partition}: the partition was revoked; its next owner reads the records again`,
      ),
    );
  }
}
