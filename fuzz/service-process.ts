import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Case } from './cases.ts';
import type { Report, ServiceSettings } from './service-messages.ts';

export interface ServiceListeners {
  onReport: (report: Report) => void;
}

/** What takes the cases. */
export interface Service {
  send(given: Case): void;
  /** No more cases: it ends when it is done with those that it has. */
  end(): void;
  kill(): void;
  /** How it ended: an exit code, or the name of a signal. Never rejects. */
  readonly ended: Promise<string>;
}

const PROGRAM = fileURLToPath(new URL('./service.ts', import.meta.url));

/** The service in a process of its own; what it says goes to stderr. */
export function startService(
  settings: ServiceSettings,
  { onReport }: ServiceListeners,
): Service & { pid: number } {
  const child = fork(PROGRAM, [JSON.stringify(settings)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? `exit ${String(code)}`));
    child.on('error', () => child.kill('SIGKILL'));
  });
  child.on('message', (report) => onReport(report as Report));
  return {
    pid: child.pid ?? 0,
    send: ({ number, bytes }) => void child.send({ kind: 'case', number, bytes }),
    end: () => void child.send({ kind: 'end' }),
    kill: () => void child.kill('SIGKILL'),
    ended,
  };
}
