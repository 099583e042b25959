import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../errors.ts';

const exec = promisify(execFile);

export interface CommandResult {
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** @default process.env */
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
}

/** Runs a command to its end. Throws execFile's error, whose message holds what the command wrote. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return exec(file, [...args], {
    env: options.env ?? process.env,
    timeout: options.timeoutMs ?? 0,
    maxBuffer: 16 * 1024 * 1024,
  });
}

/** What went wrong with a command, short enough for one message. */
export function commandFault(error: unknown): string {
  const fault = error as Partial<CommandResult & NodeJS.ErrnoException>;
  if (fault.code === 'ENOENT') return 'not installed';
  const { stderr, stdout } = fault;
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 ? lines.slice(-5).join('\n') : messageOf(error);
}
