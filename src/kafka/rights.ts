/**
 * Finds out which rights a user lacks without using them: every request here is one that a broker with the right given
 * answers with another error, since it names an offset, a partition, a member or a producer that does not exist.
 * A broker checks rights before anything else.
 */
import { grantFor, refusedKind, type KafkaResource, type Operation } from './acl.ts';
import type { KafkaClient } from './client.ts';
import { ask, closeCluster, openCluster, type Api, type Broker } from './cluster.ts';
import { kafkaError, protocolType } from './errors.ts';
import { transactionalId } from './partition-transactions.ts';

/** What `run` does with a cluster. */
export interface Use {
  inputs: readonly string[];
  /** Topics that are written. */
  outputs: readonly string[];
  /** Topics of lists, which are read as a whole. */
  lists: readonly string[];
  groupId: string;
  isTransactional: boolean;
}

export interface MissingRight {
  operation: Operation;
  /** For a person: who lacks what, what it is needed for, and the command that grants it. */
  what: string;
  /** Without it `run` works, less well. */
  isOptional: boolean;
}

interface Probe {
  api: Api;
  parameters: object;
  operation: Operation;
  /** For a person: what `run` needs the right for. */
  purpose: string;
  isOptional?: true;
}

const NO_PARTITION = 2 ** 31 - 1;
const NO_ID = '9223372036854775807';
/** A resource type of DescribeConfigs. */
const TOPIC = 2;
/** METADATA_MAX_AGE of the connections here, which live shorter, in ms. */
const METADATA_AGE_MS = 300_000;

/**
 * The rights that `use` needs and this user lacks, in the order in which `run` would miss them. Topics that do not exist
 * are to be left out.
 * Throws AppError `kafka_unavailable` or `kafka_unauthorized` when the broker cannot be asked.
 */
export function missingRights(kafka: KafkaClient, use: Use): Promise<MissingRight[]> {
  return withBroker(kafka, 'asking for the rights of this user', async (broker) => {
    const missing: MissingRight[] = [];
    for (const probe of probesFor(use)) {
      const refusal = await refusalOf(broker, probe.api, probe.parameters);
      if (refusal === undefined) continue;
      const { kind, resource } = refusal;
      const { operation, purpose, isOptional = false } = probe;
      const grant = grantFor(kind, { ...resource, operation });
      missing.push({ operation, what: `${purpose}: ${grant}`, isOptional });
    }
    return missing;
  });
}

/**
 * Those of `names` that the broker hides from this user, whether they exist or not.
 * Throws AppError `kafka_unavailable` or `kafka_unauthorized`.
 */
export function hiddenTopics(kafka: KafkaClient, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return Promise.resolve([]);
  return withBroker(kafka, `looking for topics ${names.join(', ')}`, async (broker) => {
    const hidden: string[] = [];
    for (const name of names) {
      const parameters = { topics: [name], allowAutoTopicCreation: false };
      if (await refusalOf(broker, 'Metadata', parameters)) hidden.push(name);
    }
    return hidden;
  });
}

function probesFor({ inputs, outputs, lists, groupId, isTransactional }: Use): Probe[] {
  return [
    ...inputs.map((topic) => reads(topic, 'reading the input')),
    joins(groupId, 'joining the consumer group'),
    ...(isTransactional ? inputs.map((topic) => transacts(groupId, topic)) : []),
    ...outputs.map(writes),
    ...(isTransactional ? [] : [numbers()]),
    ...lists.map((topic) => reads(topic, 'reading a list of known images')),
    ...(lists.length > 0 ? [joins('moderato-list-check', 'reading lists of known images')] : []),
    ...[...inputs, ...outputs].map(describes),
  ];
}

function reads(topic: string, purpose: string): Probe {
  const partitions = [{ partition: 0, currentLeaderEpoch: -1, fetchOffset: NO_ID, maxBytes: 1 }];
  const parameters = { replicaId: -1, maxWaitTime: 0, minBytes: 0, maxBytes: 1 };
  return {
    api: 'Fetch',
    parameters: { ...parameters, isolationLevel: 1, topics: [{ topic, partitions }] },
    operation: 'Read',
    purpose,
  };
}

function writes(topic: string): Probe {
  const partitions = [{ partition: NO_PARTITION, firstSequence: 0, messages: [] }];
  return {
    api: 'Produce',
    parameters: { acks: -1, timeout: 1_000, compression: 0, topicData: [{ topic, partitions }] },
    operation: 'Write',
    purpose: 'writing outcomes',
  };
}

/** A member that does not exist sends a heartbeat. */
function joins(groupId: string, purpose: string): Probe {
  return {
    api: 'Heartbeat',
    parameters: { groupId, groupGenerationId: -1, memberId: 'moderato-check' },
    operation: 'Read',
    purpose,
  };
}

/** A producer that does not exist ends a transaction. */
function transacts(groupId: string, topic: string): Probe {
  return {
    api: 'EndTxn',
    parameters: {
      transactionalId: transactionalId(groupId, { topic, partition: 0 }),
      producerId: NO_ID,
      producerEpoch: -1,
      transactionResult: false,
    },
    operation: 'Write',
    purpose: 'writing outcomes and offsets in transactions (delivery: exactly-once)',
  };
}

/** An id for an idempotent producer is given out by counting: nothing is kept of one that is not used. */
function numbers(): Probe {
  return {
    api: 'InitProducerId',
    parameters: { transactionTimeout: 1_000 },
    operation: 'IdempotentWrite',
    purpose: 'writing each outcome once (Write on any topic is enough since Kafka 3.0)',
  };
}

function describes(topic: string): Probe {
  const resources = [{ type: TOPIC, name: topic, configNames: ['max.message.bytes'] }];
  return {
    api: 'DescribeConfigs',
    parameters: { resources, includeSynonyms: false },
    operation: 'DescribeConfigs',
    purpose: `reading max.message.bytes of ${topic}, to know what fits into it`,
    isOptional: true,
  };
}

/** What the broker refuses in its answer to a request; undefined when it refuses nothing, whatever else it says. */
async function refusalOf(
  broker: Broker,
  api: Api,
  parameters: object,
): Promise<
  { kind: NonNullable<ReturnType<typeof refusedKind>>; resource: KafkaResource } | undefined
> {
  try {
    await ask(broker, api, parameters);
    return undefined;
  } catch (error) {
    const type = protocolType(error);
    if (type === undefined) throw error;
    const kind = refusedKind(type);
    if (kind === undefined) return undefined;
    const { resource = {} } = error as { resource?: KafkaResource };
    return { kind, resource };
  }
}

async function withBroker<T>(
  kafka: KafkaClient,
  doing: string,
  work: (broker: Broker) => Promise<T>,
): Promise<T> {
  const cluster = openCluster(kafka, METADATA_AGE_MS);
  try {
    await cluster.connect();
    return await work(await cluster.brokerPool.findConnectedBroker());
  } catch (error) {
    throw kafkaError(error, doing);
  } finally {
    await closeCluster(cluster).catch(() => undefined); // it was never connected, or is gone already
  }
}
