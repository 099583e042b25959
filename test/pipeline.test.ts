import { describe, expect, it } from '@jest/globals';
import { MemoryTopic } from '../src/consumers/memory-topic.ts';
import { AppError } from '../src/errors.ts';
import { createEventDecoder } from '../src/events/event-decoder.ts';
import { VERDICT } from '../src/events/schemas.ts';
import type { Emission } from '../src/producers/verdict-sink.ts';
import { settle } from './support/fake-clock.ts';
import { setUpPipeline, text } from './support/pipeline.ts';

const outcomes = (emissions: readonly Emission[]): Array<[string | null, string]> =>
  emissions.map(({ verdict }) => [verdict.eventId, verdict.outcome]);

const offsetOf = ({ verdict }: Emission): number => verdict.input.offset;

describe('Pipeline', () => {
  it('gives every record one verdict and commits behind it', async () => {
    const { pipeline, sink, topic } = setUpPipeline({ names: ['gun', 'lake', 'gun', 'hill'] });
    await pipeline.run();
    const inOrder = sink.emissions.toSorted((a, b) => offsetOf(a) - offsetOf(b));
    expect(outcomes(inOrder)).toEqual([
      ['gun', 'block'],
      ['lake', 'allow'],
      ['gun', 'block'],
      ['hill', 'allow'],
    ]);
    expect(topic.committed()).toBe(4);
  });

  it('emits verdicts that their schema accepts, with key and headers carried over', async () => {
    const { pipeline, sink } = setUpPipeline({ names: ['gun'] });
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
    const { pipeline, sink, topic } = setUpPipeline({ names: ['broken', 'gun'] });
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
    const { pipeline, sink } = setUpPipeline({ topic });
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
    const { pipeline, sink, clock, topic } = setUpPipeline({
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

  it('does not resolve a record whose verdict was not acknowledged', async () => {
    const { pipeline, topic } = setUpPipeline({
      names: ['gun'],
      acknowledge: () =>
        Promise.reject(new AppError('topic_missing', 'sending: no topic verdicts')),
    });
    await expect(pipeline.run()).rejects.toMatchObject({ code: 'topic_missing' });
    expect(topic.committed()).toBe(-1);
  });

  it('takes no more than maxInFlight records at a time', async () => {
    const waiting: Array<() => void> = [];
    const { pipeline } = setUpPipeline({
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

  it('gives a redelivered record the same verdict id', async () => {
    const ids: string[] = [];
    for (let time = 0; time < 2; time += 1) {
      const { pipeline, sink } = setUpPipeline({ names: ['gun'] });
      await pipeline.run();
      ids.push(sink.emissions[0]?.verdict.verdictId ?? '');
    }
    expect(ids[0]).toBe(ids[1]);
  });

  it('emits the embedding beside the verdict when asked to', async () => {
    const { pipeline, sink } = setUpPipeline({ names: ['gun'], limits: { emitEmbeddings: true } });
    await pipeline.run();
    expect(sink.emissions[0]?.embedding).toMatchObject({
      eventId: 'gun',
      vector: [1, 0],
      modelHash: text.info.hash,
    });
  });
});
