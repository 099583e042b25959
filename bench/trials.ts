import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createVerdictDecoder } from '../src/events/index.ts';
import type { ChildReport, ChildSettings } from './children/child.ts';
import { ProcessWatch } from './process-watch.ts';
import {
  newTopic,
  WARM_UP,
  writeConfig,
  type Backlog,
  type Settings,
  type Stage,
} from './stage.ts';
import { windowOf } from './statistics.ts';
import { runStream } from './stream-trial.ts';
import { measurement, type Measurement } from './trial.ts';
import type { Logged } from './verdict-log.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

/** `moderato run` in a process of its own, with the configuration's defaults but for `settings`. */
export async function runService(
  stage: Stage,
  backlog: Backlog,
  warmUp: number,
  settings: Settings = {},
): Promise<Measurement> {
  const groupId = `moderato-bench-${randomUUID()}`;
  return await runStream({
    stage,
    backlog,
    role: 'service',
    warmUp,
    ...(settings.delivery === 'exactly-once' && { transactional: groupId }),
    command: async (verdicts) => {
      const deadLetters = await newTopic(stage, 'dead-letters');
      const topics = { input: backlog.topic, verdicts, deadLetters };
      return [CLI, 'run', '-c', await writeConfig(stage, topics, { ...settings, groupId })];
    },
    check: firstTaken,
  });
}

/** When the first record was taken. Throws unless every event has one verdict and was inspected. */
async function firstTaken(log: readonly Logged[]): Promise<number> {
  const decoder = createVerdictDecoder();
  const verdicts = await Promise.all(log.map(({ value }) => decoder.decode(value)));
  const bad = verdicts.find(({ outcome }) => outcome === 'not_inspected');
  if (bad)
    throw new Error(`${bad.eventId ?? 'an event'} was not inspected: ${bad.reason?.message}`);
  const events = new Set(verdicts.map(({ eventId }) => eventId)).size;
  if (events !== log.length) throw new Error(`${log.length} verdicts of ${events} events`);
  return Math.min(...verdicts.map(({ decidedAt, timings }) => decidedAt - timings.totalMs));
}

/** Of bench/children. */
export type ChildScript =
  | ('bare' | 'inspector' | 'pipeline' | 'pool' | 'in-process' | 'loop')
  | ('jpeg' | 'jpeg-sharp' | 'jpeg-codec');

/** Runs one of bench/children, which needs no Kafka. */
export async function runChild(
  script: ChildScript,
  settings: Omit<ChildSettings, 'events'>,
  events: number,
): Promise<Measurement> {
  const file = fileURLToPath(new URL(`./children/${script}.ts`, import.meta.url));
  const all: ChildSettings = { ...settings, events: events + WARM_UP };
  const child = fork(file, [JSON.stringify(all)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const watch = new ProcessWatch(new Map([[child.pid ?? 0, script]]));
  const closed = once(child, 'close').then((ending) => {
    throw new Error(`${script} ended with code ${String(ending[0])}`);
  });
  try {
    const report = once(child, 'message').then((message) => message[0] as ChildReport);
    const { moments } = await Promise.race([report, closed]);
    await watch.stop();
    const window = windowOf(moments, WARM_UP);
    return measurement(window, watch.usage(window));
  } finally {
    await watch.stop();
    await closed.catch(() => undefined); // it has nothing more to do
  }
}
