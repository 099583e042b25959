import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

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
  if (!(error instanceof Error)) return String(error);
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'not installed';
  const { stderr, stdout } = error as Error & Partial<CommandResult>;
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 ? lines.slice(-5).join('\n') : error.message;
}
