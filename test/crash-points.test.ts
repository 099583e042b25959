import { describe, expect, it } from '@jest/globals';
import { MemoryEventSource } from '../src/consumers/memory-event-source.ts';
import { MemoryTopic } from '../src/consumers/memory-topic.ts';
import { FAULT_POINTS, noFaults, type FaultPoint, type FaultPoints } from '../src/fault-points.ts';
import { createMemoryVerdictSink } from '../src/producers/memory-verdict-sink.ts';
import type { Emission } from '../src/producers/verdict-sink.ts';
import { anImageEvent, asJson } from './support/builders.ts';
import { setUpPipeline } from './support/pipeline.ts';

const NAMES = ['gun', 'lake', 'broken', 'gun', 'hill', 'gun', 'lake', 'nonsense', 'hill', 'gun'];
const never = new Promise<never>(() => undefined);

/** The points that a pipeline over memory comes by. */
const ON_THE_WAY = FAULT_POINTS.slice(0, FAULT_POINTS.indexOf('resolved') + 1);

function filledTopic(): MemoryTopic {
  const topic = new MemoryTopic({ topic: 'images', partitions: 2 });
  for (const name of NAMES) {
    const image = { bytes: Buffer.from(name) };
    topic.append({
      value:
        name === 'nonsense'
          ? Buffer.from(name)
          : asJson(anImageEvent({ eventId: `event of ${name}`, image })),
    });
  }
  topic.end();
  return topic;
}

/** Dies when `point` is reached for the nth time: from then on nothing of it reaches the outside. */
class Mortal implements FaultPoints {
  readonly died = Promise.withResolvers<undefined>();
  readonly #point: FaultPoint;
  #left: number;

  constructor(point: FaultPoint, nth: number) {
    this.#point = point;
    this.#left = nth;
  }

  get isDead(): boolean {
    return this.#left <= 0;
  }

  reach(point: FaultPoint): void {
    if (point === this.#point) this.#left -= 1;
    if (!this.isDead) return;
    this.died.resolve(undefined);
    throw new Error(`died at ${point}`);
  }
}

/** One process on the topic, until it is done or dead. */
async function live(topic: MemoryTopic, written: Emission[], mortal?: Mortal): Promise<void> {
  const seen = new Proxy(topic, {
    get: (target, name) => {
      if (name === 'commit' && mortal?.isDead) return () => undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const { pipeline } = setUpPipeline({
    parts: {
      source: new MemoryEventSource(seen),
      faults: mortal ?? noFaults,
      sink: createMemoryVerdictSink({
        acknowledge: (emission) => {
          if (mortal?.isDead) return never;
          written.push(emission);
          return Promise.resolve();
        },
      }),
    },
    limits: { maxInFlight: 4 },
  });
  const running = pipeline.run();
  await Promise.race([running, mortal?.died.promise ?? never]);
  pipeline.abort();
  await running.catch(() => undefined);
}

describe.each(ON_THE_WAY)('a crash at the point "%s"', (point) => {
  it.each([1, 2, 5, NAMES.length])(
    'of record %d loses no record and changes no verdict',
    async (nth) => {
      const topic = filledTopic();
      const written: Emission[] = [];
      const mortal = new Mortal(point, nth);
      await live(topic, written, mortal);
      await live(topic, written);
      const verdicts = Map.groupBy(
        written.map(({ verdict }) => verdict),
        ({ input }) => `${input.partition}/${input.offset}`,
      );
      expect(verdicts.size).toBe(NAMES.length);
      for (const repeats of verdicts.values()) {
        expect(new Set(repeats.map((v) => `${v.verdictId} ${v.outcome}`)).size).toBe(1);
      }
      expect([topic.committed(0), topic.committed(1)]).toEqual([5, 5]);
    },
  );
});
