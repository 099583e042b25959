import { Worker } from 'node:worker_threads';

/** A time without an answer, in ms. */
export interface Silence {
  totalMs: number;
  /** Without the time in which the service, or whoever asked, waited for a core that other processes had. */
  ownMs: number;
}

/** Asks `/livez` again and again, from a thread of its own: what the suite does meanwhile delays no probe. */
export class Liveness {
  readonly #worker: Worker;
  /** The longest silences, each of its kind. */
  readonly longest: Silence = { totalMs: 0, ownMs: 0 };
  #probes = 0;

  constructor(pid: number, port: number) {
    this.#worker = new Worker(new URL('./liveness-thread.ts', import.meta.url), {
      workerData: { pid, port },
    });
    this.#worker.on('message', ({ totalMs, ownMs }: Silence) => {
      this.#probes += 1;
      this.longest.totalMs = Math.max(this.longest.totalMs, totalMs);
      this.longest.ownMs = Math.max(this.longest.ownMs, ownMs);
    });
  }

  get probes(): number {
    return this.#probes;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
