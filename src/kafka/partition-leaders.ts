import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { closeCluster, dropBroker, type Broker, type Cluster } from './cluster.ts';
import { isPassing, kafkaError, protocolError } from './errors.ts';
import {
  fetchPartitions,
  logStarts,
  type FetchedPartition,
  type FetchPosition,
} from './fetch-partitions.ts';
import type { FetchLimits } from './fetch-request.ts';
import { within } from './within.ts';

const UNKNOWN_TOPIC_OR_PARTITION = 3;

export interface PartitionLeadersOptions {
  cluster: Cluster;
  topics: readonly string[];
  clock: Clock;
  /** How long a broker may take for an answer, in ms. */
  timeoutMs: number;
  /** For messages: `reading images`. */
  doing: string;
}

/** Asks the leaders of partitions, and finds them again after they have moved. */
export class PartitionLeaders {
  readonly #options: PartitionLeadersOptions;
  #rounds = 0;

  constructor(options: PartitionLeadersOptions) {
    this.#options = options;
  }

  connect(): Promise<void> {
    return this.#options.cluster.connect();
  }

  /** Asks for metadata where what is known is too old, or known to be wrong. */
  async locate(): Promise<void> {
    const { cluster, topics } = this.#options;
    await this.#within(cluster.addMultipleTargetTopics(topics));
    await this.#within(cluster.refreshMetadataIfNecessary());
  }

  async locateAgain(): Promise<void> {
    await this.#within(this.#options.cluster.refreshMetadata());
  }

  partitions(): Array<{ topic: string; partition: number }> {
    const { cluster, topics } = this.#options;
    return topics.flatMap((topic) =>
      cluster
        .findTopicPartitionMetadata(topic)
        .map(({ partitionId }) => ({ topic, partition: partitionId })),
    );
  }

  /** Asks every leader once, all at the same time. An error of one leaves the answers of the others. */
  async fetch(
    positions: readonly FetchPosition[],
    limits: FetchLimits,
  ): Promise<{ fetched: FetchedPartition[]; errors: unknown[] }> {
    const { byLeader, errors } = this.#byLeader(positions);
    const answers = await Promise.allSettled(
      [...byLeader].map(([nodeId, led]) => {
        const first = this.#rounds++ % led.length; // an answer that is full leaves the last ones out
        const turned = [...led.slice(first), ...led.slice(0, first)];
        return this.#ask(nodeId, (broker) => fetchPartitions(broker, turned, limits));
      }),
    );
    const fetched: FetchedPartition[] = [];
    for (const answer of answers) {
      if (answer.status === 'fulfilled') fetched.push(...answer.value);
      else errors.push(answer.reason);
    }
    return { fetched, errors };
  }

  /** The first offset that a partition still holds. */
  async startOf(position: FetchPosition): Promise<number> {
    const { byLeader, errors } = this.#byLeader([position]);
    for (const nodeId of byLeader.keys()) {
      const [start] = await this.#ask(nodeId, (broker) => logStarts(broker, [position]));
      if (start) return start.offset;
    }
    const [error] = errors;
    throw error instanceof Error ? error : new Error(`no start of ${nameOf(position)}`);
  }

  async close(): Promise<void> {
    await this.#within(closeCluster(this.#options.cluster)).catch(() => undefined); // its brokers may be gone
  }

  #byLeader(positions: readonly FetchPosition[]): {
    byLeader: Map<number, FetchPosition[]>;
    errors: unknown[];
  } {
    const { cluster, doing } = this.#options;
    const byLeader = new Map<number, FetchPosition[]>();
    const errors: unknown[] = [];
    for (const position of positions) {
      const known = cluster
        .findTopicPartitionMetadata(position.topic)
        .find(({ partitionId }) => partitionId === position.partition);
      if (known === undefined) {
        errors.push(protocolError(UNKNOWN_TOPIC_OR_PARTITION));
      } else if (known.leader < 0) {
        const what = `${nameOf(position)} has no leader; check that enough brokers are up`;
        errors.push(new AppError('kafka_unavailable', `${doing}: ${what}`));
      } else {
        byLeader.set(known.leader, [...(byLeader.get(known.leader) ?? []), position]);
      }
    }
    return { byLeader, errors };
  }

  async #ask<T>(nodeId: number, work: (broker: Broker) => Promise<T>): Promise<T> {
    const { cluster } = this.#options;
    const broker = await this.#within(cluster.findBroker({ nodeId }));
    try {
      return await this.#within(work(broker));
    } catch (error) {
      if (mayPass(error)) dropBroker(cluster, broker);
      throw error;
    }
  }

  #within<T>(work: Promise<T>): Promise<T> {
    const { clock, timeoutMs: ms, doing } = this.#options;
    return within(work, { clock, ms, doing });
  }
}

/** True for an outage that may pass, and for a topic that a broker may not have heard of yet. */
export function mayPass(error: unknown): boolean {
  const known = kafkaError(error, '');
  if (!(known instanceof AppError)) return false;
  return (known.code === 'kafka_unavailable' || known.code === 'topic_missing') && isPassing(error);
}

function nameOf({ topic, partition }: FetchPosition): string {
  return `${topic}/${partition}`;
}
