import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from '../bench/process-watch.ts';
import { systemClock } from '../src/clock.ts';
import { createKafkaEventSource } from '../src/consumers/kafka-event-source.ts';
import { withAdmin } from '../src/kafka/topics.ts';
import { topicsOf } from '../src/topics.ts';
import { HOSTS, hostOf, type Host } from './flaky-store.ts';
import type { Instance } from './instances.ts';
import type { Publisher } from './publisher.ts';
import type { BrokerFault, Fault, InstanceFault } from './schedule.ts';
import { BROKERS, PARTITIONS, type World } from './world.ts';

export interface Scene {
  world: World;
  publisher: Publisher;
  instances: readonly Instance[];
}

/** Resolves when what it broke for a while is mended. */
type Strike = () => Promise<void>;

/** Events that make a partition hot. */
const BURST = 400;
/** Instances that must be at work when another is struck. */
const MIN_UP = 2;
const PATIENCE_MS = 60_000;
const JOIN_EVERY_MS = 1_000;

/**
 * Waits until the fault may strike: two instances are at work, or no broker is away. What it resolves with strikes
 * at once.
 */
export async function aim(scene: Scene, fault: Fault): Promise<Strike> {
  const { world, instances, publisher } = scene;
  const { kind } = fault;
  switch (kind) {
    case 'broker killed':
    case 'broker restarted':
    case 'broker frozen':
    case 'broker frozen for a minute': {
      await untilReplicated(world);
      return () => withoutBroker(world, { ...fault, kind });
    }
    case 'rebalance storm':
      return () => storm(world, fault.forMs);
    case 'store away':
      return () => withoutStore(instances, HOSTS, fault.forMs);
    case 'host away':
      return () => withoutStore(instances, [hostOf(fault.target)], fault.forMs);
    case 'hot partition':
      return () => publisher.burst(fault.target % PARTITIONS, BURST);
    default: {
      const victim = await untilOneMayFall(instances, fault.target);
      const sessionMs =
        kind === 'instance frozen beyond its session' ? world.config.kafka.sessionTimeoutMs : 0;
      return () => strikeInstance(victim, { ...fault, kind, forMs: sessionMs + fault.forMs });
    }
  }
}

async function strikeInstance(
  instance: Instance,
  { kind, forMs, point, nth }: Fault & { kind: InstanceFault },
): Promise<void> {
  switch (kind) {
    case 'instance killed':
      instance.signal('SIGKILL');
      return;
    case 'instance terminated':
      instance.signal('SIGTERM');
      return;
    case 'instance crashes at a point':
      instance.send({ kind: 'crash-at', point, nth });
      return;
    case 'instance frozen briefly':
    case 'instance frozen beyond its session':
      return instance.freeze(forMs);
    case 'decoder killed': {
      const [decoder] = await childrenOf(instance.pid);
      if (decoder) killIfThere(decoder.pid);
      return;
    }
    case 'inference thread killed':
      instance.send({ kind: 'kill-inference' });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between being found and being struck.
  }
}

async function untilOneMayFall(instances: readonly Instance[], target: number): Promise<Instance> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const up = instances.filter(({ isUp }) => isUp);
    const victim = up[target % Math.max(up.length, 1)];
    if (victim && up.length >= MIN_UP) return victim;
    if (performance.now() > deadline) throw new Error(`${up.length} instances are up: too few`);
    await sleep(100);
  }
}

async function withoutStore(
  instances: readonly Instance[],
  hosts: readonly Host[],
  forMs: number,
): Promise<void> {
  for (const instance of instances) instance.send({ kind: 'away', hosts });
  await sleep(forMs);
  for (const instance of instances) instance.send({ kind: 'away', hosts: [] });
}

async function withoutBroker(
  { cluster }: World,
  { kind, target, forMs }: Fault & { kind: BrokerFault },
): Promise<void> {
  const id = (target % BROKERS) + 1;
  switch (kind) {
    case 'broker killed':
      await cluster.killNode(id);
      break;
    case 'broker restarted':
      await cluster.stopNode(id);
      break;
    default:
      cluster.freezeNode(id);
      await sleep(forMs);
      cluster.thawNode(id);
      return;
  }
  await sleep(forMs);
  await cluster.startNode(id);
}

export async function untilReplicated({ kafka, config }: World): Promise<void> {
  const deadline = performance.now() + 60_000;
  const topics = [...topicsOf(config), '__consumer_offsets', '__transaction_state'];
  for (;;) {
    const replicated = await withAdmin(kafka, 'looking at replicas', async (admin) => {
      const known = await admin.listTopics(); // Kafka makes its own when they are first needed
      const metadata = await admin.fetchTopicMetadata({
        topics: topics.filter((topic) => known.includes(topic)),
      });
      return metadata.topics.every(({ partitions }) =>
        partitions.every(({ isr }) => isr.length === BROKERS),
      );
    }).catch(() => false);
    if (replicated) return;
    if (performance.now() > deadline) throw new Error('the replicas did not catch up');
    await sleep(250);
  }
}

/** A member of the group that comes and goes, and does nothing: each time partitions are assigned anew. */
async function storm({ kafka, config }: World, forMs: number): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const source = createKafkaEventSource({
      ...config.kafka,
      kafka,
      lanes: config.topics.input,
      clock: systemClock,
    });
    // It joins at the first pull. What it takes it does not resolve, so it commits nothing.
    const taken = source.deliveries()[Symbol.asyncIterator]().next();
    taken.catch(() => undefined); // the coordinator is away: there is no rebalance to be had
    await sleep(JOIN_EVERY_MS);
    await source.close();
  }
}
