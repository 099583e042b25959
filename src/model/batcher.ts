import type { Clock } from '../clock.ts';
import { AppError, dispositionOf, messageOf } from '../errors.ts';
import { FairQueue } from '../fair-queue.ts';
import { Gate } from '../gate.ts';

export interface BatcherOptions<In, Out> {
  /** Runs one batch and returns one output for each input, in order. At most `concurrency` run at once. */
  run: (batch: readonly In[]) => Promise<readonly Out[]>;
  /** Throws when the encoder is unable to handle even a known good input. */
  probe: () => Promise<void>;
  maxBatchSize: number;
  /** Batches that run at once. @default 1 */
  concurrency?: number;
  /**
   * How long an incomplete batch waits for more items, in ms. Raise it only where items trickle in and the
   * device is much better at full batches.
   * @default 0 whatever waits is taken at once
   */
  maxWaitMs?: number;
  clock: Clock;
  onBatch?: (size: number, ms: number) => void;
}

export interface Batched<Out> {
  value: Out;
  /** From submission to the start of the batch, in ms. */
  queueMs: number;
  /** Duration of the batch that held the item, in ms. */
  inferMs: number;
  batchSize: number;
}

interface Entry<In, Out> {
  item: In;
  submittedAt: number;
  unwanted: AbortSignal | undefined;
  resolve: (result: Batched<Out>) => void;
  reject: (error: unknown) => void;
}

/**
 * Greedy batching: while one batch runs (or `concurrency` of them), the next fills and takes what waits, up to
 * `maxBatchSize`. So batches are full under load and nobody waits when idle. Where several may start, they share
 * what waits, so that none is idle while another has two.
 */
export class Batcher<In, Out> {
  readonly #options: BatcherOptions<In, Out>;
  readonly #queue = new FairQueue<Entry<In, Out>>();
  readonly #running: Gate;
  #pumping = false;
  #filled: (() => void) | undefined;

  constructor(options: BatcherOptions<In, Out>) {
    this.#options = options;
    this.#running = new Gate(options.concurrency ?? 1);
  }

  /** Items waiting for a batch. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Rejects with `inference_failed` when this item fails alone, and once more after others, or the probe, have
   * succeeded; with `encoder_failed` when the encoder is at fault; with `partition_revoked` when `unwanted` aborts
   * before a batch has taken it.
   */
  submit(item: In, unwanted?: AbortSignal, flow = ''): Promise<Batched<Out>> {
    const submittedAt = this.#options.clock.elapsed();
    return new Promise((resolve, reject) => {
      this.#queue.push(flow, { item, submittedAt, unwanted, resolve, reject });
      if (this.#queue.size >= this.#options.maxBatchSize) this.#filled?.();
      if (!this.#pumping) void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    await Promise.resolve(); // callers of the same tick share the batch
    while (this.#queue.size > 0) {
      await this.#running.enter();
      await this.#waitForMore();
      this.#dropUnwanted();
      const batch = this.#take(this.#nextSize());
      void this.#runBatch(batch).finally(() => this.#running.leave());
    }
    this.#pumping = false;
  }

  /** Of each flow in turn. */
  #take(count: number): Array<Entry<In, Out>> {
    const batch: Array<Entry<In, Out>> = [];
    for (let entry = this.#queue.shift(); entry; entry = this.#queue.shift()) {
      batch.push(entry);
      if (batch.length === count) break;
    }
    return batch;
  }

  #nextSize(): number {
    const { maxBatchSize, maxWaitMs = 0, concurrency = 1 } = this.#options;
    if (maxWaitMs > 0) return maxBatchSize; // full ones are worth a wait
    const startable = concurrency - this.#running.count + 1;
    return Math.min(maxBatchSize, Math.ceil(this.#queue.size / startable));
  }

  /** Nobody waits for these any more: the device works for others instead. */
  #dropUnwanted(): void {
    const dropped = this.#queue.remove(({ unwanted }) => unwanted?.aborted === true);
    for (const { reject } of dropped) {
      reject(new AppError('partition_revoked', 'waiting for inference: its partition was revoked'));
    }
  }

  async #waitForMore(): Promise<void> {
    const { maxWaitMs = 0, maxBatchSize, clock } = this.#options;
    if (maxWaitMs === 0 || this.#queue.size === 0 || this.#queue.size >= maxBatchSize) return;
    const oldestAt = Math.min(...this.#queue.heads().map(({ submittedAt }) => submittedAt));
    const remainingMs = oldestAt + maxWaitMs - clock.elapsed();
    if (remainingMs <= 0) return;
    const timer = new AbortController();
    const filled = new Promise<void>((resolve) => (this.#filled = resolve));
    const elapsed = clock.sleep(remainingMs, timer.signal).catch(() => undefined);
    await Promise.race([filled, elapsed]);
    this.#filled = undefined;
    timer.abort();
  }

  /** Never rejects: what went wrong is told to the entries. */
  async #runBatch(batch: ReadonlyArray<Entry<In, Out>>): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.#runAndSettle(batch);
    } catch (error) {
      if (dispositionOf(error) === 'not-inspected') await this.#isolate(batch, error);
      else for (const entry of batch) entry.reject(error);
    }
  }

  /** Settles every entry of a batch that ran, none of one that failed. */
  async #runAndSettle(batch: ReadonlyArray<Entry<In, Out>>): Promise<void> {
    const { clock, run, onBatch } = this.#options;
    const startedAt = clock.elapsed();
    const values = await run(batch.map((entry) => entry.item));
    if (values.length !== batch.length) {
      throw new AppError(
        'inference_failed',
        `running a batch of ${batch.length}: the encoder returned ${values.length} outputs`,
      );
    }
    const inferMs = clock.elapsed() - startedAt;
    onBatch?.(batch.length, inferMs);
    for (const [index, entry] of batch.entries()) {
      entry.resolve({
        value: values[index] as Out,
        queueMs: startedAt - entry.submittedAt,
        inferMs,
        batchSize: batch.length,
      });
    }
  }

  /**
   * Runs the items of a failed batch once more, one by one, so that a poison image sinks only itself. Those that
   * fail alone have one more run behind the probe: what struck the encoder may have passed meanwhile.
   */
  async #isolate(batch: ReadonlyArray<Entry<In, Out>>, cause: unknown): Promise<void> {
    const failed: Array<Entry<In, Out>> = [];
    for (const entry of batch) {
      await this.#runAndSettle([entry]).catch(() => failed.push(entry));
    }
    const fault = failed.length === batch.length ? await this.#blame(cause) : undefined;
    for (const entry of failed) {
      if (fault) entry.reject(fault);
      else await this.#runAndSettle([entry]).catch(entry.reject);
    }
  }

  /** When every item failed alone: the encoder's own error if a known good input fails too. */
  async #blame(cause: unknown): Promise<AppError | undefined> {
    try {
      await this.#options.probe();
      return undefined;
    } catch {
      return new AppError(
        'encoder_failed',
        `the encoder fails on every input, a known good one included: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
}
