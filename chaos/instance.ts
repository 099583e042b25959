/**
 * `moderato run` with the means to break it from within: the real service, whose image store may be away and which
 * may die at any await point. `node chaos/instance.ts <configuration> <folder of the store>`, forked with IPC.
 */
import type { Worker } from 'node:worker_threads';
import { exitCodeOf } from '../src/cli/main.ts';
import { serve } from '../src/cli/run.ts';
import type { FaultPoint } from '../src/fault-points.ts';
import { createFlakyStore } from './flaky-store.ts';
import type { Order, Report } from './instance-messages.ts';

const [configFile = '', folder = ''] = process.argv.slice(2);
const threads = new Set<Worker>();
process.on('worker', (thread: Worker) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});

const store = createFlakyStore(folder);
let crash: { point: FaultPoint; nth: number } | undefined;
const faultPoints = {
  reach: (point: FaultPoint): void => {
    if (crash?.point !== point) return;
    crash.nth -= 1;
    if (crash.nth <= 0) process.kill(process.pid, 'SIGKILL');
  },
};

process.on('message', (order: Order) => {
  if (order.kind === 'crash-at') crash = order;
  else if (order.kind === 'away') store.setAway(order.hosts);
  else for (const thread of threads) void thread.terminate();
});
const onAlone = (): never => process.exit(1); // the suite is gone
process.on('disconnect', onAlone);

const report = (report: Report): boolean | undefined => process.send?.(report);

try {
  await serve(configFile, {
    faultPoints,
    fetcher: store.fetcher,
    onRunning: () => report({ running: true }),
  });
} catch (error) {
  console.error(error);
  process.exitCode = exitCodeOf(error);
}
process.off('disconnect', onAlone);
report({ running: false });
if (process.connected) process.disconnect();
