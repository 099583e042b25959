import { Worker } from 'node:worker_threads';

/** Asks `/livez` again and again, from a thread of its own: what the suite does meanwhile delays no probe. */
export class Liveness {
  readonly #worker: Worker;
  #longestMs = 0;
  #probes = 0;

  constructor(port: number) {
    this.#worker = new Worker(new URL('./liveness-thread.ts', import.meta.url), {
      workerData: { port },
    });
    this.#worker.on('message', (silentMs: number) => {
      this.#probes += 1;
      this.#longestMs = Math.max(this.#longestMs, silentMs);
    });
  }

  get probes(): number {
    return this.#probes;
  }

  /** The longest time for which nothing was answered, in ms. */
  get longestMs(): number {
    return this.#longestMs;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
