import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../errors.ts';
import { offerToOomKiller } from '../images/process-memory.ts';
import type { Measurement } from './choose.ts';
import type { TrialReply, TrialStart } from './trial-messages.ts';

/** It lies beside this file, as .ts in a clone and as .js in the package. */
const CHILD = fileURLToPath(
  new URL(`./trial-child${extname(import.meta.filename)}`, import.meta.url),
);

/** How much of what a trial last wrote on stderr is told, in characters. */
const STDERR_TAIL = 2_000;

/**
 * Runs one trial in a process of its own and resolves when that and its decoders have ended. Throws AppError: what
 * the trial threw, `trial_failed` when its process ended by itself (killed for its memory, for example), or
 * `aborted`.
 */
export async function runTrial(start: TrialStart, signal: AbortSignal): Promise<Measurement> {
  const child = fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  // Rather the trial than whoever else is at work on this machine, or in this container.
  offerToOomKiller(child.pid);
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL);
  });
  let reply: TrialReply | undefined;
  child.on('message', (message) => (reply = message as TrialReply));
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
    child.on('close', (code, by) => resolve(by ?? `exit code ${String(code)}`));
  });
  if (child.pid !== undefined) child.send(start, () => undefined); // 'close' tells of a failure
  const how = await ended;
  signal.removeEventListener('abort', kill);
  if (signal.aborted) throw new AppError('aborted', 'tuning: stopped before the end');
  if (reply?.kind === 'measured') return reply.measurement;
  if (reply?.kind === 'failed') throw new AppError(reply.code, reply.message);
  const why = [`the process of a trial ended (${how})`, stderr.trim()].filter(Boolean).join(': ');
  throw new AppError('trial_failed', `tuning: ${why}`);
}
