import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A consumer in a process of its own. */
export interface ConsumerProcess {
  pid: number;
  /** Resolves with how it ended and the last it wrote. */
  ended: Promise<string>;
  end(): Promise<void>;
}

export interface ConsumerCommand {
  /** @default this Node */
  program?: string;
  args: readonly string[];
  /** Beside that of this process. */
  env?: Readonly<Record<string, string>>;
  /** Told of each message over the process's channel, where there is to be one. */
  onMessage?: (message: unknown) => void;
}

const KILL_AFTER_MS = 40_000;
const TAIL = 2_000;

export function startConsumer(command: ConsumerCommand): ConsumerProcess {
  const { program = process.execPath, args, env, onMessage } = command;
  const channel = onMessage ? (['ipc'] as const) : [];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', ...channel],
    env: { ...process.env, ...env },
  });
  if (onMessage) child.on('message', onMessage);
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-TAIL);
    });
  }
  const closed = once(child, 'close');
  return {
    pid: child.pid ?? 0,
    ended: closed.then(([code, signal]) => `${String(signal ?? `exit code ${code}`)}\n${tail}`),
    end: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** What `work` comes to, unless the consumer ends before. */
export async function whileRunning<T>(
  consumer: ConsumerProcess,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const early = consumer.ended.then((how) => {
    throw new Error(`it ended before its events did: ${how}`);
  });
  return await Promise.race([work(done.signal), early]).finally(() => done.abort());
}
