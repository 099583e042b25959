import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { ProcessWatch } from './process-watch.ts';
import type { Backlog, Stage } from './stage.ts';
import { newTopic } from './stage.ts';
import { windowOf } from './statistics.ts';
import { measurement, type Measurement } from './trial.ts';
import { readLog, untilCommitted, untilLogged, type Logged } from './verdict-log.ts';

export interface StreamTrial {
  stage: Stage;
  backlog: Backlog;
  /** Of the process that is started, in the table. */
  role: string;
  /** The arguments of node for a consumer that writes its verdicts to `output`. */
  command: (output: string) => Promise<string[]>;
  /** The group of a consumer whose verdicts come in transactions. */
  transactional?: string;
  /** The first verdicts, which are not counted. */
  warmUp: number;
  /**
   * Looks at the verdicts, and throws when they are not what the trial is about. Gives the moment (ms since the
   * epoch) at which the first record was taken, where the verdicts tell.
   */
  check?: (log: readonly Logged[]) => Promise<number>;
}

const KILL_AFTER_MS = 40_000;

/** Runs a consumer in a process of its own from the first to the last record of a backlog. */
export async function runStream(trial: StreamTrial): Promise<Measurement> {
  const { stage, backlog, role, warmUp } = trial;
  const output = await newTopic(stage, 'verdicts');
  const consumer = start(await trial.command(output));
  const brokers = stage.brokerPids.map((pid) => [pid, 'kafka'] as const);
  const watch = new ProcessWatch(new Map([[consumer.pid, role], ...brokers]));
  try {
    const done = new AbortController();
    const { transactional } = trial;
    const { kafka } = stage;
    const group = transactional && { groupId: transactional, topic: backlog.topic };
    await Promise.race([
      group
        ? untilCommitted(kafka, group, backlog.events, done.signal)
        : untilLogged(kafka, output, backlog.events, done.signal),
      consumer.ended.then((how) => {
        throw new Error(`it ended before the backlog did: ${how}`);
      }),
    ]).finally(() => done.abort());
  } finally {
    await watch.stop();
    await consumer.end();
  }
  const log = await readLog(stage.kafka, output, backlog.events);
  const startedAt = await trial.check?.(log);
  const moments = log.map(({ appendedAt }) => appendedAt);
  const window = windowOf(moments, warmUp);
  const result = measurement(window, watch.usage(window));
  if (startedAt !== undefined) {
    result.rateSinceStart = (backlog.events * 1000) / (window.until - startedAt);
  }
  return result;
}

interface Consumer {
  pid: number;
  /** Resolves with how it ended and the last it wrote. */
  ended: Promise<string>;
  end(): Promise<void>;
}

function start(args: readonly string[]): Consumer {
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-2_000);
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
