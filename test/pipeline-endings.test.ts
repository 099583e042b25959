import { describe, expect, it, jest } from '@jest/globals';
import { MemoryTopic } from '../src/consumers/memory-topic.ts';
import type { MemoryEventSource } from '../src/consumers/memory-event-source.ts';
import { AppError } from '../src/errors.ts';
import { noTelemetry } from '../src/observability/telemetry.ts';
import { anImageEvent, asJson } from './support/builders.ts';
import { settle } from './support/fake-clock.ts';
import { setUpPipeline } from './support/pipeline.ts';

/** Lets the source fail with `error` after its last record. */
function breakAtTheEnd(source: MemoryEventSource, error: Error): void {
  const records = source.deliveries();
  source.deliveries = async function* () {
    yield* records;
    await settle();
    throw error;
  };
}

const crash = new AppError('consumer_crashed', 'consuming images: the broker is gone');

const outage = (): Promise<never> =>
  Promise.reject(new AppError('registry_unavailable', 'asking: no answer'));

describe('how a run ends', () => {
  it('finishes what is in flight when the source is stopped', async () => {
    const topic = new MemoryTopic({ topic: 'images' });
    const acknowledge = Promise.withResolvers<undefined>();
    const { pipeline, source, sink } = setUpPipeline({
      topic,
      acknowledge: () => acknowledge.promise,
    });
    topic.append({ value: asJson(anImageEvent({ eventId: 'last' })) });
    const run = pipeline.run();
    await settle();
    await source.stop();
    acknowledge.resolve(undefined);
    await run;
    expect(sink.emissions).toHaveLength(1);
    expect(topic.committed()).toBe(1);
  });

  it('quotes at most 2 KiB of an error, which may quote the input at any length', async () => {
    const message = `decoding: ${'é'.repeat(500_000)}`;
    const error = new AppError('event_invalid', message);
    const { pipeline, sink } = setUpPipeline({
      names: ['gun'],
      parts: { events: { decode: () => Promise.reject(error) } },
    });
    await pipeline.run();
    const [emission] = sink.emissions;
    for (const quoted of [emission?.verdict.reason?.message, emission?.deadLetter?.error.message]) {
      expect(quoted).toMatch(/^decoding: é+…$/);
      expect(Buffer.byteLength(quoted ?? '')).toBeLessThanOrEqual(2_048);
    }
  });

  it('lets go of what it holds when it is aborted', async () => {
    const { pipeline, source, topic } = setUpPipeline({
      names: ['gun'],
      parts: {
        events: { decode: outage },
      },
    });
    const run = pipeline.run();
    await settle();
    await source.stop();
    pipeline.abort();
    await run;
    expect(topic.committed()).toBe(-1);
  });

  it('gives up an emission that nobody acknowledges when it is aborted, however full it is', async () => {
    const { pipeline, source, topic } = setUpPipeline({
      names: ['gun', 'lake', 'hill'],
      limits: { maxInFlight: 1 },
      acknowledge: () => new Promise(() => undefined),
    });
    const run = pipeline.run();
    await settle();
    await source.stop();
    pipeline.abort();
    await run;
    expect(topic.committed()).toBe(-1);
  });

  it('ends with the source that failed, although a record is held for an outage', async () => {
    const { pipeline, source } = setUpPipeline({
      names: ['gun'],
      parts: {
        events: { decode: outage },
      },
    });
    breakAtTheEnd(source, crash);
    await expect(pipeline.run()).rejects.toBe(crash);
  });

  it('tells of a failure at once, so that what is still in flight can be given up in time', async () => {
    const told = jest.fn<(error: unknown) => void>();
    const { pipeline, source, topic } = setUpPipeline({
      names: ['gun'],
      parts: { onFailure: told },
      acknowledge: () => new Promise(() => undefined),
    });
    breakAtTheEnd(source, crash);
    const run = pipeline.run();
    await settle();
    await settle();
    expect(told.mock.calls).toEqual([[crash]]);
    pipeline.abort();
    await expect(run).rejects.toBe(crash);
    expect(topic.committed()).toBe(-1);
  });

  it('finishes what is in flight when the source fails', async () => {
    const acknowledge = Promise.withResolvers<undefined>();
    const { pipeline, source, sink, topic } = setUpPipeline({
      names: ['gun'],
      acknowledge: () => acknowledge.promise,
    });
    breakAtTheEnd(source, crash);
    const run = pipeline.run();
    await settle();
    acknowledge.resolve(undefined);
    await expect(run).rejects.toMatchObject({ code: 'consumer_crashed' });
    expect(sink.emissions).toHaveLength(1);
    expect(topic.committed()).toBe(1);
  });

  it('ends in good order when it is telemetry that fails', async () => {
    const { pipeline, topic } = setUpPipeline({
      names: ['gun'],
      parts: {
        telemetry: {
          ...noTelemetry,
          eventStarted: () => {
            throw new TypeError('no such span');
          },
        },
      },
    });
    await expect(pipeline.run()).rejects.toThrow('no such span');
    expect(topic.committed()).toBe(-1);
  });

  it('stops at an error nobody foresaw and leaves the record unacknowledged', async () => {
    const { pipeline, topic, sink } = setUpPipeline({ names: ['lake', 'defect', 'gun'] });
    await expect(pipeline.run()).rejects.toThrow('undefined is not a function');
    expect(topic.committed()).toBeLessThanOrEqual(1);
    expect(sink.emissions.map((e) => e.verdict.eventId)).not.toContain('defect');
  });
});

describe('a record that is revoked on its way', () => {
  it('is let go of at the next stage, with nothing emitted, and the run goes on', async () => {
    const decoding = Promise.withResolvers<undefined>();
    const topic = new MemoryTopic({ topic: 'images' });
    const { pipeline, source, sink } = setUpPipeline({
      topic,
      parts: {
        images: {
          decode: async (bytes) => {
            await decoding.promise;
            throw new AppError('image_corrupt', `decoding ${String(bytes)}: no`);
          },
          close: () => Promise.resolve(),
        },
      },
    });
    topic.append({ value: asJson(anImageEvent({ eventId: 'taken twice' })) });
    const run = pipeline.run();
    await settle();
    source.rebalance(); // delivers it again
    await settle();
    expect(pipeline.inFlight).toBe(2);
    decoding.resolve(undefined);
    await settle();
    topic.end();
    await run;
    expect(sink.emissions).toHaveLength(1);
    expect(topic.committed()).toBe(1);
  });

  it('is not held any longer, whatever outage it was held for', async () => {
    let attempts = 0;
    const topic = new MemoryTopic({ topic: 'images' });
    const { pipeline, source, sink, clock } = setUpPipeline({
      topic,
      parts: {
        events: {
          decode: () => {
            attempts += 1;
            return outage();
          },
        },
      },
    });
    topic.append({ value: asJson(anImageEvent({ eventId: 'held' })) });
    const run = pipeline.run();
    await settle();
    source.rebalance();
    await settle();
    expect([attempts, pipeline.inFlight]).toEqual([2, 0]); // a record that waits has no slot
    await clock.advance(60_000);
    expect(sink.emissions).toHaveLength(0);
    pipeline.abort();
    await source.stop();
    await run;
  });

  it('pauses its partition while it is held, so that an outage takes nothing more of it', async () => {
    let away = true;
    const topic = new MemoryTopic({ topic: 'images', partitions: 2 });
    const { pipeline, sink, clock } = setUpPipeline({
      topic,
      acknowledge: ({ verdict }) =>
        away && verdict.input.partition === 0 ? outage() : Promise.resolve(),
      limits: { maxInFlight: 4 },
    });
    for (let index = 0; index < 20; index += 1) {
      topic.append({ value: asJson(anImageEvent({ eventId: `${index}` })) });
    }
    topic.end();
    const run = pipeline.run();
    await settle();
    expect(sink.emissions.filter(({ verdict }) => verdict.input.partition === 1)).toHaveLength(10);
    expect(pipeline.inFlight).toBeLessThan(4);
    away = false;
    await clock.advance(20_000);
    await run;
    expect([topic.committed(0), topic.committed(1)]).toEqual([10, 10]);
  });
});
