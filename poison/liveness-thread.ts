import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Silence } from './liveness.ts';

const EVERY_MS = 100;
const GIVEN_UP_MS = 10_000;
const { pid, port } = workerData as { pid: number; port: number };

/** Resolves with whether it was answered with 200. */
function probe(): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/livez', timeout: GIVEN_UP_MS };
    const asked = get(options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode === 200));
    });
    asked.on('error', () => resolve(false));
    asked.on('timeout', () => asked.destroy());
  });
}

/** For how long the service's main thread and this one have waited for a core, in ms; 0 where Linux does not say. */
function waited(): number {
  return delayOf(`/proc/${pid}/task/${pid}/schedstat`) + delayOf('/proc/thread-self/schedstat');
}

/** Linux, Documentation/scheduler/sched-stats.rst: time on a core, time waiting for one, in ns. */
function delayOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Since when nothing has been answered. */
let since = { at: performance.now(), waited: waited() };
for (;;) {
  const isAlive = await probe();
  const totalMs = performance.now() - since.at;
  const silence: Silence = { totalMs, ownMs: Math.max(0, totalMs - (waited() - since.waited)) };
  parentPort?.postMessage(silence);
  await sleep(EVERY_MS);
  // The pause between two probes is no silence.
  if (isAlive) since = { at: performance.now(), waited: waited() };
}
