import { fileURLToPath } from 'node:url';
import type { Producer } from 'kafkajs';
import { startConsumer, whileRunning, type ConsumerProcess } from './consumer-process.ts';
import { publishAt, type Published } from './generator.ts';
import { withProducer, type EventMaker } from './image-events.ts';
import { SERVICE_PROCESS } from './service-process.ts';
import {
  newTopic,
  PARTITIONS,
  writeConfig,
  type Settings,
  type Stage,
  type TopicShape,
} from './stage.ts';
import { CLI } from './trials.ts';
import { untilLogged } from './verdict-log.ts';

export interface ServiceOptions {
  stage: Stage;
  settings?: Settings;
  /** Of its topics. */
  config?: TopicShape['config'];
  make: EventMaker;
  /** Told of the memory of its process, every second. */
  onMemory?: (usage: NodeJS.MemoryUsage) => void;
}

/** A service that waits for events. */
export interface RunningService {
  process: ConsumerProcess;
  verdicts: string;
  /** Verdicts of images that could not be inspected go here. */
  notInspected: string;
  /** How many events have been published. */
  readonly published: number;
  /** Publishes events when they are due (ms from now on). */
  publish(times: readonly number[]): Promise<Published[]>;
  /** Resolves when all that was published has its verdict; fails when the service ends before. */
  caughtUp(): Promise<void>;
}

const PROBE = fileURLToPath(new URL('./memory-probe.ts', import.meta.url));

/** Publishes so many events at once; resolves when all have their verdicts, with how many a second that were. */
export async function workOff(
  service: RunningService,
  events: number,
): Promise<{ published: Published[]; rate: number }> {
  const startedAt = performance.now();
  const published = await service.publish(new Array<number>(events).fill(0));
  await service.caughtUp();
  return { published, rate: (events * 1000) / (performance.now() - startedAt) };
}

/** Runs `moderato run` while `work` publishes to it. */
export async function withService<T>(
  options: ServiceOptions,
  work: (service: RunningService) => Promise<T>,
): Promise<T> {
  const { stage, settings, config = {}, onMemory, make } = options;
  const shape = { config };
  const [input, verdicts, deadLetters, notInspected] = [
    await newTopic(stage, 'events', shape),
    await newTopic(stage, 'verdicts', shape),
    await newTopic(stage, 'dead-letters'),
    await newTopic(stage, 'not-inspected'),
  ];
  const topics = { input, verdicts, deadLetters, routes: { not_inspected: notInspected } };
  const file = await writeConfig(stage, topics, settings);
  const { execArgv, env } = SERVICE_PROCESS;
  const process = startConsumer({
    args: [...execArgv, ...(onMemory ? ['--import', PROBE] : []), CLI, 'run', '-c', file],
    env,
    ...(onMemory && { onMessage: (usage) => onMemory(usage as NodeJS.MemoryUsage) }),
  });
  try {
    return await withProducer(stage.kafka, (producer) => work(serviceOf(producer)));
  } finally {
    await process.end();
  }

  function serviceOf(producer: Producer): RunningService {
    let first = 0;
    return {
      process,
      verdicts,
      notInspected,
      get published() {
        return first;
      },
      publish: async (times) => {
        const publication = { producer, topic: input, partitions: PARTITIONS, make, first };
        first += times.length;
        return await publishAt(publication, times);
      },
      caughtUp: () =>
        whileRunning(process, (signal) => untilLogged(stage.kafka, verdicts, first, signal)),
    };
  }
}
