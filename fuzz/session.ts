import type { Restarts } from '../src/images/decoder-pool.ts';
import { Gate } from '../src/gate.ts';
import type { Case } from './cases.ts';
import type { CaseOutcome, Report } from './service-messages.ts';
import type { Service, ServiceListeners } from './service-process.ts';

export interface SessionOptions {
  start: (listeners: ServiceListeners) => Service;
  cases: Iterable<Case>;
  /** Cases that the service has at one time. */
  window: number;
  /** Without any outcome for so long, it is given up. */
  patienceMs: number;
  /** Told of each case that has its outcome. */
  onOutcome: (given: Case, outcome: CaseOutcome) => void;
}

export interface Session {
  /** That were given to the service. */
  cases: number;
  withoutOutcome: Case[];
  /** Outcomes of cases that had theirs already, or were never given. */
  surplus: CaseOutcome[];
  /** How the service ended: `exit 0` when nothing ended it before its time. */
  ending: string;
  /** Null when it could not tell any more. */
  restarts: Restarts | null;
}

/** Gives the cases to the service, and keeps account of what it says of them. */
export async function runCases(options: SessionOptions): Promise<Session> {
  const { cases, window, patienceMs, onOutcome } = options;
  const gate = new Gate(window);
  const open = new Map<number, Case>();
  const surplus: CaseOutcome[] = [];
  let restarts: Restarts | null = null;
  let given = 0;
  let over = false;
  const onReport = (report: Report): void => {
    watchdog.refresh();
    if (report.kind === 'done') {
      ({ restarts } = report);
      return;
    }
    const found = open.get(report.number);
    if (found === undefined) {
      surplus.push(report);
      return;
    }
    open.delete(report.number);
    gate.leave();
    onOutcome(found, report);
  };

  const service = options.start({ onReport });
  const watchdog = setTimeout(() => service.kill(), patienceMs);
  const ended = service.ended.then(() => {
    over = true;
  });
  const isOver = (): boolean => over;
  for (const next of cases) {
    await Promise.race([gate.enter(), ended]);
    if (isOver()) break;
    open.set(next.number, next);
    given += 1;
    service.send(next);
  }
  if (!isOver()) service.end();
  const ending = await service.ended;
  clearTimeout(watchdog);
  return {
    cases: given,
    withoutOutcome: [...open.values()],
    surplus,
    ending,
    restarts,
  };
}
