import { startConsumer, whileRunning, type ConsumerCommand } from './consumer-process.ts';
import { ProcessWatch } from './process-watch.ts';
import { newTopic, type Backlog, type Stage } from './stage.ts';
import { windowOf } from './statistics.ts';
import { measurement, type Measurement } from './trial.ts';
import { readLog, untilCommitted, untilLogged, type Logged } from './verdict-log.ts';

export interface StreamTrial {
  stage: Stage;
  backlog: Backlog;
  /** Of the process that is started, in the table. */
  role: string;
  /** A consumer that writes its verdicts to `output`. */
  command: (output: string) => Promise<ConsumerCommand>;
  /** The group of a consumer whose verdicts come in transactions. */
  transactional?: string;
  /** The first verdicts, which are not counted. */
  warmUp: number;
  check?: VerdictCheck;
}

/** Looks at the verdicts, one after the other, and throws when they are not what the trial is about. */
export interface VerdictCheck {
  see(record: Logged): Promise<void>;
  /** The moment (ms since the epoch) at which the first record was taken. Called when all have been seen. */
  end(): number;
}

/** Runs a consumer in a process of its own from the first to the last record of a backlog. */
export async function runStream(trial: StreamTrial): Promise<Measurement> {
  const { stage, backlog, role, warmUp, transactional, check } = trial;
  const { kafka } = stage;
  const output = await newTopic(stage, 'verdicts');
  const consumer = startConsumer(await trial.command(output));
  const brokers = stage.brokerPids.map((pid) => [pid, 'kafka'] as const);
  const watch = new ProcessWatch(new Map([[consumer.pid, role], ...brokers]));
  try {
    await whileRunning(consumer, (signal) =>
      transactional
        ? untilCommitted(
            kafka,
            { groupId: transactional, topic: backlog.topic },
            backlog.events,
            signal,
          )
        : untilLogged(kafka, output, backlog.events, signal),
    );
  } finally {
    await watch.stop();
    await consumer.end();
  }
  const moments: number[] = [];
  await readLog(kafka, output, backlog.events, async (record) => {
    moments.push(record.appendedAt);
    await check?.see(record);
  });
  const window = windowOf(moments, warmUp);
  const result = measurement(window, watch.usage(window));
  if (check) result.rateSinceStart = (backlog.events * 1000) / (window.until - check.end());
  return result;
}
