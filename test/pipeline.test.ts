import { describe, expect, it } from '@jest/globals';
import { MemoryEventSource } from '../src/consumers/memory-event-source.ts';
import { MemoryTopic } from '../src/consumers/memory-topic.ts';
import { AppError } from '../src/errors.ts';
import { createEventDecoder } from '../src/events/event-decoder.ts';
import { VERDICT } from '../src/events/schemas.ts';
import type { ImageDecoder, Pixels } from '../src/images/image-decoder.ts';
import { createSchemeFetcher } from '../src/images/scheme-fetcher.ts';
import { Batcher } from '../src/model/batcher.ts';
import type { UnitVector } from '../src/model/clip-encoder.ts';
import { noTelemetry } from '../src/observability/telemetry.ts';
import { Pipeline, type PipelineLimits, type PipelineParts } from '../src/pipeline.ts';
import { embedBundle } from '../src/policies/prompt-embeddings.ts';
import type { Emission } from '../src/producers/verdict-sink.ts';
import { createMemoryVerdictSink } from '../src/producers/memory-verdict-sink.ts';
import { anImageEvent, asJson } from './support/builders.ts';
import { FakeClock, settle } from './support/fake-clock.ts';
import { buildBundle, unit, WrittenEncoder } from './support/policies.ts';

const GUN = unit([1, 0]);
const LANDSCAPE = unit([0, 1]);

const text = new WrittenEncoder({ 'a gun': [1, 0], 'a landscape': [0, 1] });
const bundle = await embedBundle(
  buildBundle({ prompts: ['a gun'], neutral: ['a landscape'], onError: 'review' }),
  text,
);

/** An image whose bytes are its own name: `gun` looks like a gun. */
const images: ImageDecoder = {
  decode: (bytes) => {
    const name = bytes.toString();
    if (name === 'broken') throw new AppError('image_corrupt', 'decoding an image: bad marker');
    if (name === 'defect') throw new TypeError('undefined is not a function');
    const pixels: Pixels = { data: new Uint8Array(bytes), width: 1, height: 1 };
    const facts = { format: 'png', width: 3, height: 2, frames: 1, crop: 'center' as const };
    return Promise.resolve({ pixels, ...facts });
  },
  close: () => Promise.resolve(),
};

interface Setup {
  names?: readonly string[];
  topic?: MemoryTopic;
  parts?: Partial<PipelineParts>;
  limits?: Partial<PipelineLimits>;
  acknowledge?: (emission: Emission) => Promise<void>;
}

function setUp({ names = [], topic, parts, limits, acknowledge }: Setup) {
  const clock = new FakeClock();
  const input =
    topic ??
    new MemoryTopic({
      topic: 'images',
      records: names.map((name) => ({
        key: Buffer.from(`key of ${name}`),
        value: asJson(anImageEvent({ eventId: name, image: { bytes: Buffer.from(name) } })),
        headers: [{ name: 'tenant', value: Buffer.from('acme') }],
      })),
    });
  const source = new MemoryEventSource(input);
  const sink = createMemoryVerdictSink(acknowledge ? { acknowledge } : {});
  const batcher = new Batcher<Pixels, UnitVector>({
    run: (batch) =>
      Promise.resolve(
        batch.map(({ data }) => (Buffer.from(data).toString() === 'gun' ? GUN : LANDSCAPE)),
      ),
    probe: () => Promise.resolve(),
    maxBatchSize: 4,
    maxQueued: 100,
    clock,
  });
  const pipeline = new Pipeline(
    {
      source,
      sink,
      batcher,
      clock,
      images,
      bundle,
      encoder: text.info,
      events: createEventDecoder(),
      fetcher: createSchemeFetcher([]),
      telemetry: noTelemetry,
      ...parts,
    },
    {
      maxInFlight: 8,
      maxInFlightBytes: 1e6,
      maxImageBytes: 1e6,
      emitEmbeddings: false,
      ...limits,
    },
  );
  return { pipeline, source, sink, clock, topic: input };
}

const outcomes = (emissions: readonly Emission[]): Array<[string | null, string]> =>
  emissions.map(({ verdict }) => [verdict.eventId, verdict.outcome]);

describe('Pipeline', () => {
  it('gives every record one verdict and commits behind it', async () => {
    const { pipeline, sink, topic } = setUp({ names: ['gun', 'lake', 'gun', 'hill'] });
    await pipeline.run();
    expect(outcomes(sink.emissions)).toEqual([
      ['gun', 'block'],
      ['lake', 'allow'],
      ['gun', 'block'],
      ['hill', 'allow'],
    ]);
    expect(topic.committed()).toBe(4);
  });

  it('emits verdicts that their schema accepts, with key and headers carried over', async () => {
    const { pipeline, sink } = setUp({ names: ['gun'] });
    await pipeline.run();
    const [emission] = sink.emissions;
    expect(VERDICT.isValid(JSON.parse(JSON.stringify(emission?.verdict)))).toBe(true);
    expect(emission?.key?.toString()).toBe('key of gun');
    expect(emission?.headers).toEqual([{ name: 'tenant', value: Buffer.from('acme') }]);
    expect(emission?.verdict).toMatchObject({
      input: { topic: 'images', partition: 0, offset: 0 },
      image: { bytes: 3, format: 'png', width: 3, height: 2, frames: 1 },
      model: { id: 'written', executionProvider: 'cpu' },
      reason: null,
      policies: [{ id: 'firearms', band: 'block', prompt: 'a gun', contrast: 'a landscape' }],
    });
    expect(emission?.deadLetter).toBeUndefined();
  });

  it('gives an image that cannot be inspected a verdict that says why and what the bundle asks for', async () => {
    const { pipeline, sink, topic } = setUp({ names: ['broken', 'gun'] });
    await pipeline.run();
    expect(sink.emissions.find((e) => e.verdict.eventId === 'broken')?.verdict).toMatchObject({
      outcome: 'not_inspected',
      reason: { code: 'image_corrupt', stage: 'preprocess', requested: 'review' },
      policies: [],
      image: { bytes: 6, format: null },
      timings: { queueMs: null, inferMs: null },
    });
    expect(topic.committed()).toBe(2);
  });

  it('sends an undecodable record to the dead letters and gives it a verdict all the same', async () => {
    const topic = new MemoryTopic({ topic: 'images', records: [{ value: Buffer.from('\x07??') }] });
    const { pipeline, sink } = setUp({ topic });
    await pipeline.run();
    expect(sink.emissions[0]).toMatchObject({
      verdict: {
        eventId: null,
        outcome: 'not_inspected',
        reason: { code: 'event_undecodable', stage: 'decode' },
      },
      deadLetter: {
        topic: 'images',
        offset: 0,
        value: Buffer.from('\x07??'),
        error: { code: 'event_undecodable', stage: 'decode' },
      },
    });
    expect(topic.committed()).toBe(1);
  });

  it('holds a record through an outage instead of judging it', async () => {
    let down = true;
    const decoder = createEventDecoder();
    const { pipeline, sink, clock, topic } = setUp({
      names: ['gun'],
      parts: {
        events: {
          decode: (value) =>
            down
              ? Promise.reject(new AppError('registry_unavailable', 'asking: no answer'))
              : decoder.decode(value),
        },
      },
    });
    const run = pipeline.run();
    await clock.advance(120_000);
    expect(sink.emissions).toEqual([]);
    expect(topic.committed()).toBe(-1);
    down = false;
    await clock.advance(15_000);
    await run;
    expect(outcomes(sink.emissions)).toEqual([['gun', 'block']]);
  });

  it('stops at an error nobody foresaw and leaves the record unacknowledged', async () => {
    const { pipeline, topic, sink } = setUp({ names: ['lake', 'defect', 'gun'] });
    await expect(pipeline.run()).rejects.toThrow('undefined is not a function');
    expect(topic.committed()).toBeLessThanOrEqual(1);
    expect(sink.emissions.map((e) => e.verdict.eventId)).not.toContain('defect');
  });

  it('does not resolve a record whose verdict was not acknowledged', async () => {
    const { pipeline, topic } = setUp({
      names: ['gun'],
      acknowledge: () =>
        Promise.reject(new AppError('topic_missing', 'sending: no topic verdicts')),
    });
    await expect(pipeline.run()).rejects.toMatchObject({ code: 'topic_missing' });
    expect(topic.committed()).toBe(-1);
  });

  it('takes no more than maxInFlight records at a time', async () => {
    const waiting: Array<() => void> = [];
    const { pipeline } = setUp({
      names: Array.from({ length: 20 }, (_, index) => `image ${index}`),
      limits: { maxInFlight: 3 },
      acknowledge: () => new Promise((resolve) => waiting.push(resolve)),
    });
    const run = pipeline.run();
    for (let done = 0; done < 20; done += 1) {
      await settle();
      expect(pipeline.inFlight).toBeLessThanOrEqual(3);
      waiting.shift()?.();
    }
    await run;
    expect(pipeline.inFlight).toBe(0);
  });

  it('finishes what is in flight when the source is stopped', async () => {
    const topic = new MemoryTopic({ topic: 'images' });
    const acknowledge = Promise.withResolvers<undefined>();
    const { pipeline, source, sink } = setUp({ topic, acknowledge: () => acknowledge.promise });
    topic.append({ value: asJson(anImageEvent({ eventId: 'last' })) });
    const run = pipeline.run();
    await settle();
    await source.stop();
    acknowledge.resolve(undefined);
    await run;
    expect(sink.emissions).toHaveLength(1);
    expect(topic.committed()).toBe(1);
  });

  it('lets go of what it holds when it is aborted', async () => {
    const { pipeline, source, topic } = setUp({
      names: ['gun'],
      parts: {
        events: {
          decode: () => Promise.reject(new AppError('registry_unavailable', 'asking: no answer')),
        },
      },
    });
    const run = pipeline.run();
    await settle();
    await source.stop();
    pipeline.abort();
    await run;
    expect(topic.committed()).toBe(-1);
  });

  it('gives a redelivered record the same verdict id', async () => {
    const ids: string[] = [];
    for (let time = 0; time < 2; time += 1) {
      const { pipeline, sink } = setUp({ names: ['gun'] });
      await pipeline.run();
      ids.push(sink.emissions[0]?.verdict.verdictId ?? '');
    }
    expect(ids[0]).toBe(ids[1]);
  });

  it('emits the embedding beside the verdict when asked to', async () => {
    const { pipeline, sink } = setUp({ names: ['gun'], limits: { emitEmbeddings: true } });
    await pipeline.run();
    expect(sink.emissions[0]?.embedding).toMatchObject({
      eventId: 'gun',
      vector: [1, 0],
      modelHash: text.info.hash,
    });
  });
});
