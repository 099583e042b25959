import type { Logger } from '../../logger.ts';
import type { TopicPartition } from '../by-topic.ts';
import { fetchQuotas } from '../client-quotas.ts';
import type { Broker } from '../cluster.ts';

/** A record that this client's quota keeps from being read. */
export interface Oversized extends TopicPartition {
  offset: number;
  /** How long the broker asks to wait at each attempt, in ms. */
  throttleMs: number;
}

/** Says once which record it is, and which quota is in effect as far as the broker shows it. */
export async function warnOfOversized(
  broker: Broker,
  oversized: Oversized,
  logger: Logger | undefined,
): Promise<void> {
  const quotas = await fetchQuotas(broker);
  const clientId = broker.connectionPool.clientId ?? '';
  const { topic, partition, offset } = oversized;
  logger?.warn(
    { ...oversized, nodeId: broker.nodeId, clientId, quotas },
    `the broker refuses the batch at ${topic}/${partition}/${offset} even by itself, because of this client's quota ` +
      `(${quotas}): the batch is larger than the quota lets through in one window, or other clients use it up. The ` +
      'partition stands still and is tried every 30 s, the others go on. Raise consumer_byte_rate to more than a tenth ' +
      'of the largest batch: kafka-configs.sh --alter --entity-type clients (or users)',
  );
}
