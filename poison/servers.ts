/** Hostile HTTP servers and a schema registry in a thread of their own: the suite's work does not delay an answer. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** On 127.0.0.1. */
export interface Ports {
  /** Answers every request with an image. */
  steady: number;
  /** Answers as the path says; see hostile-answers.ts. */
  odd: number;
  /** Takes connections and never answers. */
  silent: number;
  /** Answers 503, always. */
  away: number;
  /** There is no server. */
  closed: number;
  registry: number;
}

export interface Servers {
  ports: Ports;
  close(): Promise<void>;
}

/** `socketPath`: where a UNIX socket is bound, which is no image. */
export async function startServers(socketPath: string, picture: Buffer): Promise<Servers> {
  const worker = new Worker(new URL('./server-thread.ts', import.meta.url), {
    workerData: { socketPath, picture },
  });
  const [ports] = (await once(worker, 'message')) as [Ports];
  return {
    ports,
    close: async () => {
      await worker.terminate();
    },
  };
}
