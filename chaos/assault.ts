import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { aim, untilReplicated, type Scene } from './faults.ts';
import type { ProgressWatch } from '../suites/progress-watch.ts';
import type { Struck } from './results.ts';
import { isBrokerFault, type Fault } from './schedule.ts';

export interface Assault {
  scene: Scene;
  faults: readonly Fault[];
  /** To publish meanwhile. */
  events: number;
  watch: ProgressWatch;
  say: (line: string) => void;
}

/** With more than this waiting, the next fault is put off: each shall strike a service at work, not one far behind. */
const MAX_LAG = 5_000;
const CATCH_UP_MS = 180_000;
const RECOVERY_TIMEOUT_MS = 120_000;
const LOG_TAIL = 5;

/**
 * Strikes with one fault after the other while events are published, without waiting for the service to recover;
 * then mends everything and waits until the group has committed all there is.
 */
export async function assault(given: Assault): Promise<Struck[]> {
  const { scene, faults, events, watch, say } = given;
  const struck: Struck[] = [];
  const mending: Array<Promise<unknown>> = [];
  let mendingBroker: Promise<unknown> = Promise.resolve();
  let first = 0;
  const publishUntil = async (end: number): Promise<void> => {
    await scene.publisher.publish(first, end - first);
    first = end;
  };
  for (const [index, fault] of faults.entries()) {
    await publishUntil(Math.floor((events * (index + 0.5)) / faults.length));
    await untilLag(given, MAX_LAG);
    await sleep(fault.afterMs);
    const isBroker = isBrokerFault(fault.kind);
    if (isBroker) await mendingBroker;
    await aim(scene, fault);
    // The other half only now: the service shall have something to do when it is struck.
    await publishUntil(Math.floor((events * (index + 1)) / faults.length));
    const strike = await aim(scene, fault);
    await watch.look();
    say(`${index + 1} of ${faults.length}: ${fault.kind} (lag ${watch.lag})`);
    const mended = strike();
    mended.catch(() => undefined); // thrown below, once everything has had its turn
    if (isBroker) mendingBroker = mended;
    const recovered = watch.recovery(RECOVERY_TIMEOUT_MS).then((recoveryMs) => {
      struck.push({ kind: fault.kind, recoveryMs });
    });
    mending.push(mended, recovered);
  }
  await Promise.all(mending);
  await untilReplicated(scene.world);
  say('all is mended: waiting for the rest');
  await untilLag(given, 0);
  return struck;
}

async function untilLag({ watch, scene }: Assault, lag: number): Promise<void> {
  if (await watch.untilLag(lag, CATCH_UP_MS)) return;
  const where = watch.standings
    .filter(({ committed, end }) => committed < end)
    .map(({ partition, committed, end }) => `${partition}: ${committed} of ${end}`);
  const logs = scene.instances.map(async ({ logFile }) => {
    const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
    return [logFile, ...lines.slice(-LOG_TAIL)].join('\n');
  });
  const tails = (await Promise.all(logs)).join('\n');
  throw new Error(`the service stands still at ${where.join(', ')}\n${tails}`);
}
