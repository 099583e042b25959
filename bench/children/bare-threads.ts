import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Runs a program of this folder in a thread, with this process's settings. Resolves with its one message. */
export async function runThread<T>(program: string, workerData: unknown = null): Promise<T> {
  const url = new URL(`./${program}.ts`, import.meta.url);
  const worker = new Worker(url, { argv: process.argv.slice(2), workerData });
  const [message] = (await once(worker, 'message')) as [T]; // rejects with the error that ends it
  return message;
}
