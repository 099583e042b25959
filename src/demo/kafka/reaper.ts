import { spawn } from 'node:child_process';

/** Sees to it that what we started does not outlive us. */
export interface Reaper {
  /** Replaces the list of processes to be killed when this process dies. */
  watch(pids: readonly number[]): void;
  /** Everything was stopped in good order: nothing is left to be done. */
  release(): void;
}

/** The last line read names the processes; the end of the input means that its writer is gone. */
const KILL_AND_CLEAN = `
  pids=
  while read -r line; do pids=$line; done
  [ -n "$pids" ] && kill -9 $pids
  [ -n "$pids" ] && sleep 1 && rm -rf "$1"
`;

/**
 * A shell that waits at a pipe held by this process. A SIGKILL of ours runs no handler, but the kernel closes
 * the pipe; the shell then kills the processes and removes `folder`. Best effort: without a POSIX `sh`
 * the processes stay.
 */
export function startReaper(folder: string): Reaper {
  const shell = spawn('sh', ['-c', KILL_AND_CLEAN, 'reaper', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // out of reach of the terminal's Ctrl-C
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as typeof shell.stdin & { unref(): void }).unref();
  return {
    watch: (pids) => void shell.stdin.write(`${pids.join(' ')}\n`),
    release: () => void shell.stdin.end('\n'),
  };
}
