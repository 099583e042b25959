import { spawn } from 'node:child_process';

/** Sees to it that what we started does not outlive us. */
export interface Reaper {
  /** Replaces what is to be ended when this process dies: `$last` of the script. Never empty. */
  watch(last: string): void;
  /** Everything was ended in good order: nothing is left to be done. */
  release(): void;
}

/**
 * A shell that waits at a pipe held by this process. A SIGKILL of ours runs no handler, but the kernel closes
 * the pipe; the shell then runs `script`, which finds in `$last` what was watched last and in `$1` … the
 * `args`. Best effort: without a POSIX `sh` nothing is ended.
 */
export function startReaper(
  script: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Reaper {
  const wait = 'last=; while read -r line; do last=$line; done; [ -n "$last" ] || exit 0';
  const shell = spawn('/bin/sh', ['-c', `${wait}\n${script}`, 'reaper', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // out of reach of the terminal's Ctrl-C
    env,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as typeof shell.stdin & { unref(): void }).unref();
  return {
    watch: (last) => void shell.stdin.write(`${last}\n`),
    release: () => void shell.stdin.end('\n'),
  };
}
