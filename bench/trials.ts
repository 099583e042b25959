import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createVerdictDecoder } from '../src/events/index.ts';
import { DECODER_PROCESS } from '../src/images/decoder-child.ts';
import type { ChildReport, ChildSettings } from './children/child.ts';
import { ProcessWatch } from './process-watch.ts';
import { SERVICE_PROCESS } from './service-process.ts';
import {
  newTopic,
  WARM_UP,
  writeConfig,
  type Backlog,
  type Settings,
  type Stage,
} from './stage.ts';
import { windowOf } from './statistics.ts';
import { runStream, type StreamTrial, type VerdictCheck } from './stream-trial.ts';
import { measurement, type Measurement } from './trial.ts';

export const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

/** `moderato run` in a process of its own, with the configuration's defaults but for `settings`. */
export async function runService(
  stage: Stage,
  backlog: Backlog,
  warmUp: number,
  settings: Settings = {},
): Promise<Measurement> {
  return await runStream(
    serviceTrial(stage, backlog, warmUp, settings, (config) => [CLI, 'run', '-c', config]),
  );
}

/** A trial of what takes the service's configuration, every image of which is to be inspected. */
export function serviceTrial(
  stage: Stage,
  backlog: Backlog,
  warmUp: number,
  settings: Settings,
  argsOf: (configFile: string) => string[],
): StreamTrial {
  const groupId = `moderato-bench-${randomUUID()}`;
  return {
    stage,
    backlog,
    role: 'service',
    warmUp,
    ...(settings.delivery === 'exactly-once' && { transactional: groupId }),
    command: async (verdicts) => {
      const deadLetters = await newTopic(stage, 'dead-letters');
      const topics = { input: backlog.topic, verdicts, deadLetters };
      const args = argsOf(await writeConfig(stage, topics, { ...settings, groupId }));
      return { args: [...SERVICE_PROCESS.execArgv, ...args], env: SERVICE_PROCESS.env };
    },
    check: everyImageInspected(),
  };
}

/** Throws unless every event has one verdict and was inspected. */
function everyImageInspected(): VerdictCheck {
  const decoder = createVerdictDecoder();
  const events = new Set<string | null>();
  let firstTakenAt = Infinity;
  return {
    see: async ({ value }) => {
      const { eventId, outcome, reason, decidedAt, timings } = await decoder.decode(value);
      if (outcome === 'not_inspected')
        throw new Error(`${eventId ?? 'an event'} was not inspected: ${reason?.message}`);
      if (events.has(eventId)) throw new Error(`two verdicts of ${eventId ?? 'an event'}`);
      events.add(eventId);
      firstTakenAt = Math.min(firstTakenAt, decidedAt - timings.totalMs);
    },
    end: () => firstTakenAt,
  };
}

export type ChildProgram =
  | 'bare'
  | 'bare-per-core'
  | 'inspector'
  | 'pipeline'
  | 'jpeg'
  | 'jpeg-sharp'
  | 'jpeg-codec'
  | 'pool'
  | 'in-process'
  | 'loop';

/** These do what a decoder process does. */
const DECODES_ONLY = new Set<ChildProgram>(['jpeg', 'jpeg-sharp', 'jpeg-codec', 'loop']);

/** Runs one of bench/children, which needs no Kafka. */
export async function runChild(
  program: ChildProgram,
  settings: Omit<ChildSettings, 'events'>,
  events: number,
): Promise<Measurement> {
  const memory = DECODES_ONLY.has(program) ? DECODER_PROCESS : SERVICE_PROCESS;
  const file = fileURLToPath(new URL(`./children/${program}.ts`, import.meta.url));
  const all: ChildSettings = { ...settings, events: events + WARM_UP };
  const child = fork(file, [JSON.stringify(all)], {
    execArgv: memory.execArgv,
    env: { ...process.env, ...memory.env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const watch = new ProcessWatch(new Map([[child.pid ?? 0, program]]));
  const closed = once(child, 'close').then((ending) => {
    throw new Error(`${program} ended with code ${String(ending[0])}`);
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
