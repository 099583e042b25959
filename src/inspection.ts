/**
 * What is found of an image before policies: known from before, about to be known from another event, or looked at
 * now (preprocess → batch and infer). This file imports no library and names no adapter.
 */
import type { CacheHit, EmbeddingCache, InspectedImage } from './cache/embedding-cache.ts';
import { SingleFlight } from './cache/single-flight.ts';
import type { Clock } from './clock.ts';
import type { Reused } from './events/types.generated.ts';
import type { HashLists } from './hashes/lists.ts';
import type { ImageDecoder, Pixels, View } from './images/image-decoder.ts';
import type { LoadedImage } from './references/load-image.ts';
import type { Journey } from './journey.ts';
import type { Judgement } from './judgement.ts';
import type { Batcher } from './model/batcher.ts';
import type { EncodedImage } from './model/clip-encoder.ts';
import type { Telemetry } from './observability/telemetry.ts';
import type { EmbeddedView } from './policies/score-views.ts';

export interface InspectionParts {
  images: ImageDecoder;
  cache: EmbeddingCache;
  lists: Pick<HashLists, 'needsPdq'>;
  batcher: Batcher<Pixels, EncodedImage>;
  telemetry: Telemetry;
  clock: Clock;
}

/** The event that an image is inspected for. */
export interface Occasion {
  journey: Journey;
  judgement: Judgement;
  /** Aborted when the event is not ours any more. */
  revoked: AbortSignal;
  /** With which other events it shares the decoders and the device. */
  flow: string;
}

export interface Inspected {
  image: InspectedImage;
  /** Where its embeddings come from; null: they are its own, and new. */
  reused: Reused | null;
}

export class Inspection {
  readonly #parts: InspectionParts;
  /** Images that are being looked at, by their SHA-256. */
  readonly #looks = new SingleFlight<InspectedImage>();

  constructor(parts: InspectionParts) {
    this.#parts = parts;
  }

  /** Throws what the decoder and the batcher throw. */
  async of(encoded: LoadedImage, occasion: Occasion): Promise<Inspected> {
    const { cache, telemetry } = this.#parts;
    if (!cache.isOn) return await this.#look(encoded, occasion);
    const known = await cache.find(encoded.sha256);
    // What was inspected before anybody wanted its perceptual hash is inspected once more.
    const inspected =
      known && (known.image.pdq !== null || !this.#wantsPdq())
        ? { image: known.image, reused: reuseOf(known) }
        : await this.#lookOnce(encoded, occasion);
    telemetry.cacheAnswered(inspected.reused);
    return inspected;
  }

  async #lookOnce(encoded: LoadedImage, occasion: Occasion): Promise<Inspected> {
    const { sha256 } = encoded;
    // It may wait there for another event's look.
    occasion.journey.enter('preprocess');
    let reused: Reused | null = { by: 'sha256', store: 'flight', distance: 0, sha256 };
    const look = async (): Promise<InspectedImage> => {
      const inspected = await this.#look(encoded, occasion);
      ({ reused } = inspected);
      return inspected.image;
    };
    return { image: await this.#looks.run(sha256, look, occasion.revoked), reused };
  }

  async #look({ bytes, sha256 }: LoadedImage, occasion: Occasion): Promise<Inspected> {
    const { images, cache } = this.#parts;
    const { journey, judgement, flow } = occasion;
    const { views, ...facts } = await journey.stage('preprocess', () =>
      images.decode(bytes, { pdq: this.#wantsPdq(), flow, sha256 }),
    );
    judgement.preprocessed(facts);
    journey.reach('preprocessed');

    const near = facts.pdq && cache.findNear(facts.pdq);
    if (near) return { image: { ...facts, views: near.image.views }, reused: reuseOf(near) };

    const image = { ...facts, views: await this.#infer(views, occasion) };
    journey.reach('inferred');
    await cache.keep(sha256, image);
    return { image, reused: null };
  }

  #wantsPdq(): boolean {
    const { cache, lists } = this.#parts;
    return cache.wantsPdq || lists.needsPdq;
  }

  /** Embeds every view; the stage's times are those of the one that was done last. */
  async #infer(
    views: readonly View[],
    { journey, revoked, flow }: Occasion,
  ): Promise<EmbeddedView[]> {
    const { batcher, clock } = this.#parts;
    journey.enter('infer');
    return await Promise.all(
      views.map(async ({ region, pixels }) => {
        const { value, inferMs, queueMs } = await batcher.submit(pixels, revoked, flow);
        const endedAt = clock.elapsed();
        journey.record('queue', endedAt - inferMs - queueMs, endedAt - inferMs);
        journey.record('infer', endedAt - inferMs, endedAt);
        return { region, ...value };
      }),
    );
  }
}

function reuseOf({ by, store, distance, sha256 }: CacheHit): Reused {
  return { by, store, distance, sha256 };
}
