/**
 * Makes kafkajs say what a broker refuses. It drops the broker's refusal where it looks for a coordinator ("Failed to
 * find group coordinator", and tries again), and its errors do not say what the refused request was about.
 */
import { createRequire } from 'node:module';
import { principalOf, refusedKind, type KafkaResource, type Operation } from './acl.ts';
import { protocolType } from './errors.ts';

/** The operation that a request needs on each kind of resource that it names; the stronger where one includes another. */
type Needs = Partial<Record<'cluster' | 'group' | 'topic' | 'transactionalId', Operation>>;

const NEEDS: ReadonlyMap<string, Needs> = new Map<string, Needs>([
  ['Metadata', { topic: 'Describe' }],
  ['ListOffsets', { topic: 'Describe' }],
  ['Fetch', { topic: 'Read' }],
  ['Produce', { topic: 'Write', transactionalId: 'Write', cluster: 'IdempotentWrite' }],
  ['GroupCoordinator', { group: 'Read', transactionalId: 'Write' }],
  ['JoinGroup', { group: 'Read' }],
  ['SyncGroup', { group: 'Read' }],
  ['Heartbeat', { group: 'Read' }],
  ['LeaveGroup', { group: 'Read' }],
  ['OffsetCommit', { group: 'Read', topic: 'Read' }],
  ['OffsetFetch', { group: 'Read', topic: 'Read' }],
  ['DescribeGroups', { group: 'Describe' }],
  ['DeleteGroups', { group: 'Delete' }],
  ['InitProducerId', { transactionalId: 'Write', cluster: 'IdempotentWrite' }],
  ['AddPartitionsToTxn', { transactionalId: 'Write', topic: 'Write' }],
  ['AddOffsetsToTxn', { transactionalId: 'Write', group: 'Read' }],
  ['TxnOffsetCommit', { transactionalId: 'Write', group: 'Read', topic: 'Read' }],
  ['EndTxn', { transactionalId: 'Write' }],
  ['CreateTopics', { topic: 'Create', cluster: 'Create' }],
  ['DescribeConfigs', { topic: 'DescribeConfigs', cluster: 'DescribeConfigs' }],
]);

/** How kafkajs' connections authenticate. */
export interface Authentication {
  sasl?: { username?: string } | null;
  ssl?: { cert?: unknown } | true | null;
}

/** kafkajs' Broker, below its public types: a method for each request. */
interface Requests {
  [method: string]: unknown;
  connectionPool: Authentication;
}

interface BrokerPool {
  withBroker(call: (broker: unknown) => Promise<unknown>): Promise<unknown>;
}

const explained = new WeakSet();

/** Does so for every client of this process. Idempotent. */
export function explainRefusals(): void {
  const require = createRequire(import.meta.url);
  const broker = (require('kafkajs/src/broker') as { prototype: Requests }).prototype;
  if (explained.has(broker)) return;
  explained.add(broker);
  for (const api of NEEDS.keys()) explainRequest(broker, api);
  letRefusalsThrough(
    (require('kafkajs/src/cluster/brokerPool') as { prototype: BrokerPool }).prototype,
  );
}

/**
 * Notes on a broker's refusal what the request was about; kafkaError reads it.
 *
 * @param request - `api` is the request's name in kafkajs (`JoinGroup`), `parameters` is what kafkajs encodes it from
 */
export function noteResource(
  error: unknown,
  request: { api: string; parameters: unknown; connection: Authentication },
): void {
  const kind = refusedKind((error as { type?: unknown } | null)?.type);
  if (kind === undefined) return;
  const { sasl, ssl } = request.connection;
  const resource: KafkaResource = {
    ...namesOf(request.parameters),
    principal: principalOf({
      username: sasl?.username,
      hasCertificate: typeof ssl === 'object' && ssl?.cert !== undefined,
    }),
    operation: NEEDS.get(request.api)?.[kind],
  };
  Object.assign(error as object, { resource });
}

function explainRequest(broker: Requests, api: string): void {
  const method =
    api === 'GroupCoordinator'
      ? 'findGroupCoordinator'
      : `${api.charAt(0).toLowerCase()}${api.slice(1)}`;
  const send = broker[method] as (this: Requests, parameters: unknown) => Promise<unknown>;
  broker[method] = async function (this: Requests, parameters: unknown) {
    try {
      return await send.call(this, parameters);
    } catch (error) {
      noteResource(error, { api, parameters, connection: this.connectionPool });
      throw error;
    }
  };
}

/** `withBroker` asks one broker after the other and forgets why each of them failed. */
function letRefusalsThrough(pool: BrokerPool): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its `this` below
  const { withBroker } = pool;
  pool.withBroker = async function (this: BrokerPool, call) {
    let refusal: { error: unknown } | undefined;
    const answer = await withBroker.call(this, async (broker) => {
      try {
        return await call(broker);
      } catch (error) {
        if (refusedKind(protocolType(error)) !== undefined) refusal = { error };
        throw error;
      }
    });
    if (answer === null && refusal) throw refusal.error;
    return answer;
  };
}

/** The names in a request's parameters, whose shapes are kafkajs'. */
function namesOf(parameters: unknown): Pick<KafkaResource, 'topic' | 'group' | 'transactionalId'> {
  if (Array.isArray(parameters)) return { topic: parameters as string[] }; // Metadata
  const { groupId, coordinatorType, transactionalId, topics, topicData, resources } =
    parameters as Record<string, unknown>;
  const named = [topics, topicData, resources].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]).map(topicOf) : [],
  );
  const isTransactional = coordinatorType === 1; // FindCoordinator has one field for both
  return {
    ...(named.length > 0 && { topic: named }),
    ...(typeof groupId === 'string' &&
      (isTransactional ? { transactionalId: groupId } : { group: groupId })),
    ...(typeof transactionalId === 'string' && { transactionalId }),
  };
}

function topicOf(entry: unknown): string {
  if (typeof entry === 'string') return entry;
  const { topic, name } = entry as { topic?: string; name?: string };
  return topic ?? name ?? '';
}
