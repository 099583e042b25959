import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { LoopSettings } from './children/kafkajs-loop.ts';
import type { Part } from './options.ts';
import { fillSmall } from './small-events.ts';
import { newTopic, type Backlog, type Stage } from './stage.ts';
import { runStream } from './stream-trial.ts';
import type { Measurement, Trial } from './trial.ts';
import { runService } from './trials.ts';

/** A second or two, however fast. */
const EVENTS = 60_000;
const WARM_UP = 10_000;
/** The default of 64 is for images that take milliseconds. Records are bounded in bytes too. */
const MAX_IN_FLIGHT = 1_000;
/** A verdict by policies/demo.yaml in JSON with its headers. */
const VERDICT_BYTES = 4_000;

/** What an event costs beside its image, and what kafkajs alone makes of the same topic. */
export function zeroCostTrials(
  stage: Stage,
  only: ReadonlySet<Part>,
  say: (line: string) => void,
): Trial[] {
  const backlogs = new Map<'json' | 'avro', Promise<Backlog>>();
  const backlogIn = (format: 'json' | 'avro'): Promise<Backlog> => {
    const filled = backlogs.get(format) ?? filledTopic(stage, format, say);
    backlogs.set(format, filled);
    return filled;
  };
  const service = async (format: 'json' | 'avro'): Promise<Measurement> =>
    runService(stage, await backlogIn(format), WARM_UP, {
      program: childFile('zero-cost'),
      pipeline: { maxInFlight: MAX_IN_FLIGHT },
      output: { format },
    });
  const trials: Trial[] = [
    {
      name: 'zero-cost',
      title: 'events of 0.7 kB in JSON, decoder and encoder that cost nothing',
      run: () => service('json'),
    },
    {
      name: 'zero-cost-avro',
      title: 'the same, events and verdicts in Avro',
      run: () => service('avro'),
    },
    {
      name: 'kafkajs-loop',
      title: 'bare kafkajs: a record of the size of a verdict for each event',
      run: async () => runLoop(stage, await backlogIn('json')),
    },
  ];
  return trials.filter(({ name }) => only.has(name));
}

async function runLoop(stage: Stage, backlog: Backlog): Promise<Measurement> {
  const { brokers } = stage;
  return await runStream({
    stage,
    backlog,
    role: 'kafkajs-loop',
    warmUp: WARM_UP,
    command: (output) => {
      const groupId = `moderato-bench-${randomUUID()}`;
      const settings: LoopSettings = {
        ...{ brokers, groupId, input: backlog.topic, output },
        bytes: VERDICT_BYTES,
      };
      return Promise.resolve([childFile('kafkajs-loop'), JSON.stringify(settings)]);
    },
  });
}

async function filledTopic(
  stage: Stage,
  format: 'json' | 'avro',
  say: (line: string) => void,
): Promise<Backlog> {
  const backlog: Backlog = { topic: await newTopic(stage, `events-tiny-${format}`), events: 0 };
  await fillSmall(stage, backlog, { events: EVENTS + WARM_UP, format });
  say(`filled a topic with ${backlog.events} tiny image events in ${format}`);
  return backlog;
}

function childFile(name: string): string {
  return fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url));
}
