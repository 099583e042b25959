import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const EVERY_MS = 100;
const GIVEN_UP_MS = 10_000;
const { port } = workerData as { port: number };

/** Resolves with whether it was answered with 200. */
function probe(): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(
      { host: '127.0.0.1', port, path: '/livez', timeout: GIVEN_UP_MS },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode === 200));
      },
    );
    asked.on('error', () => resolve(false));
    asked.on('timeout', () => asked.destroy());
  });
}

/** Since when nothing has been answered. */
let since = performance.now();
for (;;) {
  const isAlive = await probe();
  const now = performance.now();
  // The pause between two probes is no silence.
  parentPort?.postMessage(now - since);
  await sleep(EVERY_MS);
  if (isAlive) since = performance.now();
}
