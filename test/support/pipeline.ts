import { noCache } from '../../src/cache/embedding-cache.ts';
import { MemoryEventSource } from '../../src/consumers/memory-event-source.ts';
import { MemoryTopic } from '../../src/consumers/memory-topic.ts';
import { AppError } from '../../src/errors.ts';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import type { ImageDecoder, Pixels } from '../../src/images/image-decoder.ts';
import { noLists } from '../../src/hashes/lists.ts';
import { createSchemeFetcher } from '../../src/references/scheme-fetcher.ts';
import { Batcher } from '../../src/model/batcher.ts';
import type { EncodedImage } from '../../src/model/clip-encoder.ts';
import { noTelemetry } from '../../src/observability/telemetry.ts';
import { Pipeline, type PipelineLimits, type PipelineParts } from '../../src/pipeline.ts';
import { embedBundle } from '../../src/policies/prompt-embeddings.ts';
import { createMemoryVerdictSink } from '../../src/producers/memory-verdict-sink.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';
import { anImageEvent, asJson } from './builders.ts';
import { aDecodedImage } from './decoded-image.ts';
import { FakeClock } from './fake-clock.ts';
import { buildBundle, unit, WrittenEncoder } from './policies.ts';

const GUN = unit([1, 0]);
const LANDSCAPE = unit([0, 1]);

export const text = new WrittenEncoder({ 'a gun': [1, 0], 'a landscape': [0, 1] });
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
    return Promise.resolve(aDecodedImage(pixels, { width: 3, height: 2 }));
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

/** A pipeline over memory: each record is an image event named after what its image shows. */
export function setUpPipeline({ names = [], topic, parts, limits, acknowledge }: Setup) {
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
  const batcher = new Batcher<Pixels, EncodedImage>({
    run: (batch) =>
      Promise.resolve(
        batch.map(({ data }) => ({
          embedding: Buffer.from(data).toString() === 'gun' ? GUN : LANDSCAPE,
          similarities: null,
        })),
      ),
    probe: () => Promise.resolve(),
    maxBatchSize: 4,
    clock,
  });
  const pipeline = new Pipeline(
    {
      source,
      sink,
      batcher,
      clock,
      images,
      cache: noCache,
      lists: noLists,
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
      fetchConcurrency: 8,
      emitEmbeddings: false,
      outageTimeoutMs: 3_600_000,
      onOutageTimeout: 'dead-letter',
      quarantineAfter: 3,
      ...limits,
    },
  );
  return { pipeline, source, sink, clock, topic: input };
}
