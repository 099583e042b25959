/**
 * The way of one image event, from the record taken to the offset resolved. Newcomers start at `#judge`.
 * This file imports no library and names no adapter: it sees ports only.
 */
import type { CacheHit, EmbeddingCache, InspectedImage } from './cache/embedding-cache.ts';
import { SingleFlight } from './cache/single-flight.ts';
import type { Clock } from './clock.ts';
import type { Delivery, EventSource } from './consumers/event-source.ts';
import type { EventDecoder } from './events/event-decoder.ts';
import type { Reused } from './events/types.generated.ts';
import { dispositionOf } from './errors.ts';
import type { FaultPoints } from './fault-points.ts';
import { Gate } from './gate.ts';
import type { ImageDecoder, Pixels, View } from './images/image-decoder.ts';
import type { ImageFetcher } from './images/image-fetcher.ts';
import { loadImage, type LoadedImage } from './images/load-image.ts';
import { Journey } from './journey.ts';
import { Judgement } from './judgement.ts';
import type { Batcher } from './model/batcher.ts';
import type { EncoderInfo, UnitVector } from './model/clip-encoder.ts';
import type { Telemetry } from './observability/telemetry.ts';
import { decide } from './policies/decide.ts';
import type { EmbeddedBundle } from './policies/prompt-embeddings.ts';
import { scoreViews, type EmbeddedView } from './policies/score-views.ts';
import type { VerdictSink } from './producers/verdict-sink.ts';

export interface PipelineParts {
  source: EventSource;
  events: EventDecoder;
  fetcher: ImageFetcher;
  images: ImageDecoder;
  cache: EmbeddingCache;
  batcher: Batcher<Pixels, UnitVector>;
  encoder: EncoderInfo;
  bundle: EmbeddedBundle;
  sink: VerdictSink;
  telemetry: Telemetry;
  clock: Clock;
  faults?: FaultPoints | undefined;
  /** Told of the error that ends the run, before what is in flight has finished. */
  onFailure?: (error: unknown) => void;
}

/** One event on its way. */
interface Passage {
  delivery: Delivery;
  journey: Journey;
  judgement: Judgement;
}

interface Inspection {
  image: InspectedImage;
  /** Where its embeddings come from; null: they are its own, and new. */
  reused: Reused | null;
}

export interface PipelineLimits {
  /** Events between being taken and being acknowledged. */
  maxInFlight: number;
  /** Bytes of their records, together; one record is admitted whatever its size. */
  maxInFlightBytes: number;
  /** Bytes of one encoded image. */
  maxImageBytes: number;
  /** Whether every embedding is emitted beside its verdict. */
  emitEmbeddings: boolean;
}

export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #limits: PipelineLimits;
  readonly #inFlight: Gate;
  /** Images that are being inspected, by their SHA-256. */
  readonly #inspections = new SingleFlight<InspectedImage>();
  readonly #holding = new AbortController();
  readonly #givenUp = Promise.withResolvers<undefined>();
  #failure: { error: unknown } | undefined;

  constructor(parts: PipelineParts, limits: PipelineLimits) {
    this.#parts = parts;
    this.#limits = limits;
    this.#inFlight = new Gate(limits.maxInFlight, limits.maxInFlightBytes);
  }

  /** Events taken and not yet acknowledged. */
  get inFlight(): number {
    return this.#inFlight.count;
  }

  /**
   * Runs until the source ends and everything in flight is done, or until it is aborted. Throws the first error
   * that no record can be blamed for; the records it struck stay unacknowledged.
   */
  async run(): Promise<void> {
    await Promise.race([this.#work(), this.#givenUp.promise]);
    if (this.#failure) throw this.#failure.error;
  }

  /** Gives up what is held or in flight: it stays unacknowledged and is read again by the next owner. */
  abort(): void {
    this.#holding.abort();
    this.#givenUp.resolve(undefined);
  }

  async #work(): Promise<void> {
    const { source, telemetry } = this.#parts;
    const events = new Set<Promise<void>>();
    try {
      for await (const delivery of source.deliveries()) {
        const weight = delivery.record.value?.length ?? 0;
        await this.#inFlight.enter(weight);
        if (this.#holding.signal.aborted) break;
        const event = this.#process(delivery)
          .catch((error: unknown) => this.#fail(error))
          .finally(() => {
            this.#inFlight.leave(weight);
            telemetry.inFlight(this.inFlight);
            events.delete(event);
          });
        events.add(event);
      }
    } catch (error) {
      await this.#fail(error);
    }
    await Promise.all(events);
  }

  /** The first error ends the run: nothing more is taken or held, and what can still finish does. */
  async #fail(error: unknown): Promise<void> {
    if (this.#holding.signal.aborted) return;
    this.#failure = { error };
    this.#holding.abort();
    this.#parts.onFailure?.(error);
    await this.#parts.source.stop();
  }

  async #process(delivery: Delivery): Promise<void> {
    const { telemetry, clock, sink, faults } = this.#parts;
    const { record } = delivery;
    const trace = telemetry.eventStarted(record);
    const { signal } = this.#holding;
    const journey = new Journey({ delivery, trace, telemetry, clock, signal, faults });
    telemetry.inFlight(this.inFlight);
    try {
      journey.reach('taken');
      const judgement = await this.#judge(delivery, journey);
      const emission = judgement.emission(
        trace.inject(record.headers),
        this.#limits.emitEmbeddings,
      );
      await journey.stage('emit', () => sink.emit(emission));
      journey.reach('emitted');
      delivery.resolve();
      journey.reach('resolved');
      trace.finished(emission.verdict);
    } catch (error) {
      trace.abandoned(error);
      if (dispositionOf(error) !== 'revoked') throw error;
    }
  }

  /** Decode → fetch → inspect (preprocess → batch and infer), unless known → score → decide. */
  async #judge(delivery: Delivery, journey: Journey): Promise<Judgement> {
    const { record } = delivery;
    const { events, fetcher, encoder, bundle, clock } = this.#parts;
    const judge = { encoder, bundle: bundle.bundle, now: () => clock.now() };
    const judgement = new Judgement(judge, record, journey);
    try {
      const event = await journey.stage('decode', () => events.decode(record.value));
      judgement.decoded(event);
      journey.reach('decoded');

      const encoded = await journey.stage('fetch', (signal) =>
        loadImage(event.image, { fetcher, maxBytes: this.#limits.maxImageBytes, signal }),
      );
      judgement.loaded(encoded);
      journey.reach('fetched');

      const { image, reused } = await this.#inspect(encoded, { delivery, journey, judgement });
      judgement.inspected(image, reused);
      journey.reach('inferred');

      const startedAt = clock.elapsed();
      const results = scoreViews(image.views, bundle, encoder.scoring);
      journey.record('score', startedAt, clock.elapsed());
      judgement.decided(decide(results), results);
      journey.reach('scored');
    } catch (error) {
      if (!judgement.explainedBy(error)) throw error;
    }
    return judgement;
  }

  /** What is found of an image: known from before, about to be known from another event, or looked at now. */
  async #inspect(encoded: LoadedImage, passage: Passage): Promise<Inspection> {
    const { cache, telemetry } = this.#parts;
    const { sha256 } = encoded;
    const known = await cache.find(sha256);
    if (known) {
      telemetry.cacheAnswered(known);
      return { image: known.image, reused: reuseOf(known) };
    }
    let reused: Inspection['reused'] = { by: 'sha256', store: 'flight', distance: 0, sha256 };
    const look = async (): Promise<InspectedImage> => {
      const inspection = await this.#look(encoded, passage);
      ({ reused } = inspection);
      return inspection.image;
    };
    try {
      const image = await this.#inspections.run(sha256, look, passage.delivery.revoked);
      telemetry.cacheAnswered(reused);
      return { image, reused };
    } catch (error) {
      // It may have waited for another event's inspection when its own partition was revoked.
      passage.journey.enter(passage.journey.stageName);
      throw error;
    }
  }

  async #look({ bytes, sha256 }: LoadedImage, passage: Passage): Promise<Inspection> {
    const { images, cache } = this.#parts;
    const { delivery, journey, judgement } = passage;
    const { views, ...facts } = await journey.stage('preprocess', () => images.decode(bytes));
    judgement.preprocessed(facts);
    journey.reach('preprocessed');

    const near = facts.pdq && cache.findNear(facts.pdq);
    if (near) return { image: { ...facts, views: near.image.views }, reused: reuseOf(near) };
    const embedded = await this.#infer(views, journey, delivery.revoked);
    const image = { ...facts, views: embedded };
    await cache.keep(sha256, image);
    return { image, reused: null };
  }

  /** Embeds every view; the stage's times are those of the one that was done last. */
  async #infer(
    views: readonly View[],
    journey: Journey,
    revoked: AbortSignal,
  ): Promise<EmbeddedView[]> {
    const { batcher, clock } = this.#parts;
    journey.enter('infer');
    return await Promise.all(
      views.map(async ({ region, pixels }) => {
        const { value: embedding, inferMs, queueMs } = await batcher.submit(pixels, revoked);
        const endedAt = clock.elapsed();
        journey.record('queue', endedAt - inferMs - queueMs, endedAt - inferMs);
        journey.record('infer', endedAt - inferMs, endedAt);
        return { region, embedding };
      }),
    );
  }
}

function reuseOf({ by, store, distance, sha256 }: CacheHit): Reused {
  return { by, store, distance, sha256 };
}
