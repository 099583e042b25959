/** Batches of every worker before those that are counted: code is compiled and memory taken by then. */
const WARM_UP_BATCHES = 2;
/** And no fewer of every worker are counted, however long they take. */
const COUNTED_BATCHES = 3;

export interface Throughput {
  imagesPerSecond: number;
  /** Means over the batches. */
  batchMs: number;
  batchSize: number;
}

export interface ThroughputOptions {
  /** How long is counted; the warm-up takes half of it. */
  seconds: number;
  /** Batches that run at once. */
  concurrency: number;
  /** Monotonic, in ms. */
  elapsed: () => number;
}

/**
 * Counts images from the end of one batch to the end of another: images come in batches, and a part of one that
 * a clock cuts off would be counted as nothing.
 */
export class ThroughputMeter {
  readonly #options: ThroughputOptions;
  readonly #createdAt: number;
  readonly #finished = Promise.withResolvers<Throughput>();
  #images = 0;
  #warmUpBatches = 0;
  #start: { at: number; images: number } | undefined;
  #batches = 0;
  #batchMs = 0;
  #batchImages = 0;

  constructor(options: ThroughputOptions) {
    this.#options = options;
    this.#createdAt = options.elapsed();
  }

  /** Resolves when enough is counted. */
  get finished(): Promise<Throughput> {
    return this.#finished.promise;
  }

  /** An image is done, whatever was found of it. */
  image(): void {
    this.#images += 1;
  }

  /** A batch has ended, after `ms`; its images are not told as done yet. */
  batch(size: number, ms: number): void {
    const { seconds, concurrency, elapsed } = this.#options;
    const now = elapsed();
    if (this.#start === undefined) {
      this.#warmUpBatches += 1;
      const isWarm = this.#warmUpBatches >= WARM_UP_BATCHES * concurrency;
      const lasted = now - this.#createdAt >= (seconds * 1000) / 2;
      if (isWarm && lasted) this.#start = { at: now, images: this.#images };
      return;
    }
    this.#batches += 1;
    this.#batchMs += ms;
    this.#batchImages += size;
    const lastedMs = now - this.#start.at;
    if (lastedMs < seconds * 1000 || this.#batches < COUNTED_BATCHES * concurrency) return;
    this.#finished.resolve({
      imagesPerSecond: ((this.#images - this.#start.images) * 1000) / lastedMs,
      batchMs: this.#batchMs / this.#batches,
      batchSize: this.#batchImages / this.#batches,
    });
  }
}
