/**
 * The way of one image event, from the record taken to the offset resolved. Newcomers start at `#judge`.
 * This file imports no library and names no adapter: it sees ports only.
 */
import type { Delivery, DeliverySuspicion, EventSource } from './consumers/event-source.ts';
import type { EventDecoder } from './events/event-decoder.ts';
import { AppError, dispositionOf, messageOf } from './errors.ts';
import type { FaultPoints } from './fault-points.ts';
import { Gate } from './gate.ts';
import type { HashLists } from './hashes/lists.ts';
import { pdqFromHex } from './hashes/pdq.ts';
import { Inspection, type InspectionParts } from './inspection.ts';
import type { ImageFetcher } from './references/image-fetcher.ts';
import { loadImage, type ImageLocation } from './references/load-image.ts';
import { FetchPool } from './fetch-pool.ts';
import type { Need, OutageLimits } from './attempts.ts';
import { Journey } from './journey.ts';
import { Judgement } from './judgement.ts';
import type { KafkaRecord } from './kafka/record.ts';
import type { EncoderInfo } from './model/clip-encoder.ts';
import { Outages } from './outages.ts';
import { decide, decisiveMatch, suppress } from './policies/decide.ts';
import type { EmbeddedBundle } from './policies/prompt-embeddings.ts';
import { scoreViews } from './policies/score-views.ts';
import type { VerdictSink } from './producers/verdict-sink.ts';
import { Slot } from './slot.ts';

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
  /** Called with the error that ends the run, before what is in flight has finished. */
  onFailure?: (error: unknown, record?: KafkaRecord) => void;
  /** A dependency that records wait for was found absent, or answers again. */
  onOutage?: (dependency: string, isAbsent: boolean) => void;
}

export interface PipelineLimits extends OutageLimits {
  /** Events between being taken and being acknowledged. */
  maxInFlight: number;
  /** Bytes of their records, together; one record is admitted whatever its size. */
  maxInFlightBytes: number;
  /** Bytes of one encoded image. */
  maxImageBytes: number;
  /** Fetches over the network at once. */
  fetchConcurrency: number;
  /** Whether every embedding is emitted beside its verdict. */
  emitEmbeddings: boolean;
  /**
   * Unexplained deaths of the process at a record before it is quarantined, the last of them while it was alone in
   * flight; 0: never.
   */
  quarantineAfter: number;
}

export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #limits: PipelineLimits;
  readonly #inFlight: Gate;
  readonly #inspection: Inspection;
  readonly #outages: Outages;
  readonly #fetches: FetchPool;
  readonly #holding = new AbortController();
  readonly #givenUp = Promise.withResolvers<undefined>();
  #failure: { error: unknown } | undefined;

  constructor(parts: PipelineParts, limits: PipelineLimits) {
    this.#parts = parts;
    this.#limits = limits;
    this.#inspection = new Inspection(parts);
    this.#inFlight = new Gate(limits.maxInFlight, limits.maxInFlightBytes);
    const { clock, fetcher, onOutage } = parts;
    this.#fetches = new FetchPool({ places: limits.fetchConcurrency, clock });
    this.#outages = new Outages({
      clock,
      // Only a dependency of the fetchers has an address; another is known by its error's code.
      probe: (dependency) =>
        dependency.includes('://') ? fetcher.probe(dependency) : Promise.resolve(undefined),
      onChange: onOutage,
    });
  }

  /** The dependencies that are absent now, with the number of records that wait for each. */
  get absent(): ReturnType<Outages['absent']> {
    return this.#outages.absent();
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
        const slot = new Slot(this.#inFlight, delivery.record.value?.length ?? 0);
        await slot.take();
        if (this.#holding.signal.aborted) break;
        const event = this.#process(delivery, slot)
          .catch((error: unknown) => this.#fail(error, delivery))
          .finally(() => {
            slot.giveBack();
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

  /**
   * The first error ends the run: nothing more is taken or parked, and what can still finish does. One that nothing
   * explains is noted beside the committed offsets, so that a record that repeats it is found.
   */
  async #fail(error: unknown, delivery?: Delivery): Promise<void> {
    if (this.#holding.signal.aborted) return;
    this.#failure = { error };
    this.#holding.abort();
    // A coded error is a dependency's or the installation's; only what nothing explains may be the record's doing.
    const suspect = error instanceof AppError ? undefined : delivery?.record;
    this.#parts.onFailure?.(error, suspect);
    const { source } = this.#parts;
    await source.stop();
    if (suspect) await source.accuse(messageOf(error), [suspect]);
  }

  async #process(delivery: Delivery, slot: Slot): Promise<void> {
    const { telemetry, clock, sink, faults } = this.#parts;
    const { record } = delivery;
    const trace = telemetry.eventStarted(record);
    const { signal } = this.#holding;
    const limits = this.#limits;
    const journey = new Journey({
      ...{ delivery, trace, telemetry, clock, signal, limits, slot, faults },
      outages: this.#outages,
      fetches: this.#fetches,
      emitsInOrder: sink.inOrder,
    });
    telemetry.inFlight(this.inFlight);
    try {
      journey.reach('taken');
      const judgement = await this.#judge(delivery, journey);
      const emission = judgement.emission(
        trace.inject(record.headers),
        this.#limits.emitEmbeddings,
      );
      delivery.spent(costOf(journey));
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
  async #judge({ record, revoked, suspicion }: Delivery, journey: Journey): Promise<Judgement> {
    const { events, fetcher, encoder, lists, bundle, clock, redriveKey } = this.#parts;
    const judge = { encoder, bundle: bundle.bundle, lists, redriveKey, now: () => clock.now() };
    const judgement = new Judgement(judge, record, journey);
    try {
      this.#requireReadable(record, suspicion);
      const event = await journey.stage('decode', () =>
        events.decode(record.value, record.headers),
      );
      judgement.decoded(event);
      journey.reach('decoded');

      const flow = flowOf(record);
      const loading = { fetcher, maxBytes: this.#limits.maxImageBytes };
      const encoded = await journey.stage(
        'fetch',
        (signal) => loadImage(event.image, { ...loading, signal }),
        needOf(event.image, fetcher, flow),
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

      const occasion = { journey, judgement, revoked, flow };
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

  /** Throws what keeps the record from being judged whatever it holds. */
  #requireReadable(
    { fault, ...record }: KafkaRecord,
    suspicion: DeliverySuspicion | undefined,
  ): void {
    if (fault) throw new AppError(fault.code, fault.message);
    const { quarantineAfter } = this.#limits;
    if (!suspicion || quarantineAfter === 0) return;
    const { deaths, alone, fault: death } = suspicion;
    if (alone === 0 || deaths < quarantineAfter) return;
    const { topic, partition, offset } = record;
    throw new AppError(
      'record_quarantined',
      `judging ${topic}/${partition}/${offset}: the process died ${deaths} times at this record, the last time of: ${death}`,
    );
  }
}

/** Partitions share the fetches, the decoders and the device. */
function flowOf({ topic, partition }: KafkaRecord): string {
  return `${topic}/${partition}`;
}

/** What a fetch of the image shares with others; undefined for bytes that are at hand. */
function needOf(
  { bytes, uri }: ImageLocation,
  fetcher: ImageFetcher,
  flow: string,
): Need | undefined {
  if (bytes !== null || uri === null) return undefined;
  const dependency = fetcher.dependencyOf?.(uri);
  return dependency && { ...dependency, dependency: dependency.name, flow };
}

/** What a record has cost of what partitions share, in ms. */
function costOf(journey: Journey): number {
  return (journey.duration('preprocess') ?? 0) + (journey.duration('infer') ?? 0);
}
