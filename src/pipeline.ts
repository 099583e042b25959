/**
 * The way of one image event, from the record taken to the offset resolved. Newcomers start at `#judge`.
 * This file imports no library and names no adapter: it sees ports only.
 */
import type { Delivery, EventSource } from './consumers/event-source.ts';
import type { EventDecoder } from './events/event-decoder.ts';
import { dispositionOf } from './errors.ts';
import type { FaultPoints } from './fault-points.ts';
import { Gate } from './gate.ts';
import type { HashLists } from './hashes/lists.ts';
import { pdqFromHex } from './hashes/pdq.ts';
import { Inspection, type InspectionParts } from './inspection.ts';
import type { ImageFetcher } from './references/image-fetcher.ts';
import { loadImage } from './references/load-image.ts';
import { Journey } from './journey.ts';
import { Judgement } from './judgement.ts';
import type { EncoderInfo } from './model/clip-encoder.ts';
import { decide, decisiveMatch, suppress } from './policies/decide.ts';
import type { EmbeddedBundle } from './policies/prompt-embeddings.ts';
import { scoreViews } from './policies/score-views.ts';
import type { VerdictSink } from './producers/verdict-sink.ts';

export interface PipelineParts extends InspectionParts {
  source: EventSource;
  events: EventDecoder;
  fetcher: ImageFetcher;
  lists: HashLists;
  encoder: EncoderInfo;
  bundle: EmbeddedBundle;
  sink: VerdictSink;
  /** Proves the origin of redriven records; see `Judge`. */
  redriveKey?: string | undefined;
  faults?: FaultPoints | undefined;
  /** Told of the error that ends the run, before what is in flight has finished. */
  onFailure?: (error: unknown) => void;
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
  readonly #inspection: Inspection;
  readonly #holding = new AbortController();
  readonly #givenUp = Promise.withResolvers<undefined>();
  #failure: { error: unknown } | undefined;

  constructor(parts: PipelineParts, limits: PipelineLimits) {
    this.#parts = parts;
    this.#limits = limits;
    this.#inspection = new Inspection(parts);
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

  /** Decode → fetch → inspect (preprocess → batch and infer) → score → decide. */
  async #judge({ record, revoked }: Delivery, journey: Journey): Promise<Judgement> {
    const { events, fetcher, encoder, lists, bundle, clock, redriveKey } = this.#parts;
    const judge = { encoder, bundle: bundle.bundle, lists, redriveKey, now: () => clock.now() };
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

      const { sha256 } = encoded;
      const known = lists.match({ sha256, pdq: null });
      if (decisiveMatch(known)) {
        judgement.listed(known);
        judgement.decided(decide([], known), []); // There is no need to look at it.
        return judgement;
      }

      const occasion = { journey, judgement, revoked };
      const { image, reused } = await this.#inspection.of(encoded, occasion);
      judgement.inspected(image, reused);

      const startedAt = clock.elapsed();
      const matches = lists.match({ sha256, pdq: image.pdq && pdqFromHex(image.pdq) });
      judgement.listed(matches);
      const results = suppress(scoreViews(image.views, bundle, encoder.scoring), matches);
      journey.record('score', startedAt, clock.elapsed());
      judgement.decided(decide(results, matches), results);
      journey.reach('scored');
    } catch (error) {
      if (!judgement.explainedBy(error)) throw error;
    }
    return judgement;
  }
}
