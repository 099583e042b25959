/**
 * The Kafka adapter of EventSource. kafkajs pushes: it calls `eachBatch` and fetches again when that returns.
 * The pipeline pulls. The parts, in the way of a record:
 *
 * - hand-over: gives one fetched record to each pull, and keeps the membership alive while nobody pulls;
 * - offset-ledger: knows what was handed out and resolved, hence what may be committed;
 * - commit-loop: commits that, never kafkajs;
 * - membership: follows the group's rebalances and begins a new epoch of the ledger with each.
 */
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { AppError, messageOf } from '../errors.ts';
import { kafkaError } from '../kafka/errors.ts';
import { missingTopics } from '../kafka/topics.ts';
import { BrokerOffsetsReader } from './broker-offsets.ts';
import { CommitLoop } from './commit-loop.ts';
import type { Delivery, EventSource, SourceStatus } from './event-source.ts';
import { FetchSwitch } from './fetch-switch.ts';
import { HandOver } from './hand-over.ts';
import { crashError, isHopeless } from './kafka-faults.ts';
import {
  consumerConfig,
  withDefaults,
  type KafkaEventSourceOptions,
  type KafkaSettings,
} from './kafka-options.ts';
import { Membership } from './membership.ts';
import { OffsetLedger, type Commit } from './offset-ledger.ts';
import { Rendezvous } from './rendezvous.ts';
import { repeat } from './repeat.ts';

export type { KafkaEventSourceOptions } from './kafka-options.ts';

/** Crashes without a heartbeat between them before the consumer is given up; each has used up its retries. */
const MAX_CRASHES_IN_A_ROW = 3;

/** Reads a topic as a member of a consumer group. Nothing is connected before the first pull. */
export function createKafkaEventSource(options: KafkaEventSourceOptions): EventSource {
  return new KafkaEventSource(withDefaults(options));
}

class KafkaEventSource implements EventSource {
  readonly #settings: KafkaSettings;
  readonly #ledger = new OffsetLedger();
  readonly #channel = new Rendezvous<Delivery>();
  readonly #commits: CommitLoop;
  readonly #broker: BrokerOffsetsReader;
  readonly #closing = new AbortController();
  #consumer: Consumer | undefined;
  #fetching: FetchSwitch | undefined;
  #membership: Membership | undefined;
  #commitNow: EachBatchPayload['commitOffsetsIfNecessary'] | undefined;
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #stopped = false;
  #alive = true;
  #crashes = 0;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#broker = new BrokerOffsetsReader(settings);
    this.#commits = new CommitLoop({
      ledger: this.#ledger,
      commit: (commits) => this.#commit(commits),
      clock: settings.clock,
      intervalMs: settings.commitIntervalMs,
      transactional: settings.transactions !== undefined,
      faults: settings.faults,
      logger: settings.logger,
    });
  }

  async *deliveries(): AsyncGenerator<Delivery> {
    // Not awaited: `stop` must be able to end the wait for a broker that is away. Failures end the channel.
    if (!this.#stopped) this.#started ??= this.#start();
    for (;;) {
      const delivery = await this.#channel.take();
      if (!delivery) return;
      yield delivery;
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port allows for sources that wait
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#channel.close();
    this.#fetching?.pause('stopped');
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  status(): SourceStatus {
    const { topic } = this.#settings;
    return {
      alive: this.#alive,
      assigned: this.#membership?.assigned ?? false,
      paused: this.#fetching?.paused ?? false,
      partitions: this.#ledger
        .progress()
        .map(({ partition, committed, lag }) => ({ topic, partition, committed, lag })),
    };
  }

  async #start(): Promise<void> {
    const { topic, kafka, logger } = this.#settings;
    try {
      const missing = await missingTopics(kafka, [topic]);
      if (missing.length > 0) {
        throw new AppError(
          'topic_missing',
          `consuming ${topic}: there is no such topic, or it is hidden from this user; create it (moderato topics create) or correct topics.input`,
        );
      }
      await this.#broker.open();
      await this.#run(await this.#broker.partitionCount());
    } catch (error) {
      this.#fail(kafkaError(error, `consuming ${topic}`));
      logger?.debug({ error: messageOf(error) }, 'the consumer could not start');
    }
  }

  async #run(partitions: number): Promise<void> {
    const { kafka, topic, clock, startFrom, lagIntervalMs, logger } = this.#settings;
    const signal = this.#closing.signal;
    if (signal.aborted) return;
    const consumer = kafka.consumer({
      ...consumerConfig(this.#settings, partitions),
      retry: { restartOnFailure: (error) => Promise.resolve(this.#mayRestart(error)) },
    });
    const parts = { ledger: this.#ledger, commits: this.#commits, clock, logger };
    const fetching = new FetchSwitch(consumer, topic);
    const membership = new Membership({
      ...parts,
      consumer,
      topic,
      fetching,
      broker: this.#broker,
      fence: this.#settings.transactions,
      onJoin: () => this.#channel.nudge(),
      onFailure: (error) => this.#fail(error),
      signal,
    });
    const handOver = new HandOver({
      ...this.#settings,
      ...parts,
      channel: this.#channel,
      membership,
      fetching,
      signal,
    });
    this.#consumer = consumer;
    this.#fetching = fetching;
    this.#membership = membership;
    if (this.#stopped) fetching.pause('stopped');

    consumer.on(consumer.events.HEARTBEAT, () => {
      this.#crashes = 0;
    });
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (!restart) this.#fail(crashError(error, topic));
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: startFrom === 'earliest' });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        this.#commitNow = (offsets) => payload.commitOffsetsIfNecessary(offsets);
        await handOver.eachFetch(payload);
      },
    });
    this.#commits.start();
    void repeat({ clock, intervalMs: lagIntervalMs, signal }, () =>
      membership.refresh().catch((error: unknown) => {
        logger?.debug({ error: messageOf(error) }, 'asking for end offsets failed');
      }),
    );
  }

  /**
   * One attempt, in the generation of this moment. `consumer.commitOffsets` would try again on its own, perhaps
   * in a later generation, when the partition may be somebody else's.
   */
  async #commit(commits: readonly Commit[]): Promise<void> {
    if (!this.#commitNow) return;
    const partitions = commits.map(({ partition, offset }) => ({
      partition,
      offset: String(offset),
    }));
    await this.#commitNow({ topics: [{ topic: this.#settings.topic, partitions }] });
  }

  /** Asked by kafkajs after a crash that starting again might mend. */
  #mayRestart(error: Error): boolean {
    this.#crashes += 1;
    return (
      !this.#closing.signal.aborted &&
      this.#crashes < MAX_CRASHES_IN_A_ROW &&
      !isHopeless(error, this.#settings.topic)
    );
  }

  #fail(error: Error): void {
    this.#alive = false;
    this.#channel.fail(error);
  }

  async #close(): Promise<void> {
    const { clock, closeTimeoutMs, logger, topic } = this.#settings;
    await this.stop();
    this.#closing.abort();
    const patience = new AbortController();
    const timeout = clock.sleep(closeTimeoutMs, patience.signal).then(
      () => logger?.warn({ topic, closeTimeoutMs }, 'the broker did not let go in time'),
      () => undefined,
    );
    await Promise.race([this.#leave(), timeout]);
    patience.abort();
    this.#ledger.revoke();
    this.#alive = false;
  }

  async #leave(): Promise<void> {
    const { logger } = this.#settings;
    await this.#started;
    await this.#commits.close();
    this.#ledger.revoke(); // from here on a late resolve has no effect
    for (const client of [
      this.#consumer?.disconnect(), // leaves the group
      this.#broker.close(),
    ]) {
      await client?.catch((error: unknown) => {
        logger?.debug({ error: messageOf(error) }, 'disconnecting failed');
      });
    }
  }
}
