import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from '../bench/process-watch.ts';
import { withAdmin } from '../src/kafka/topics.ts';
import type { Instance } from './instances.ts';
import type { Fault, FaultKind } from './schedule.ts';
import { BROKERS, type World } from './world.ts';

export interface Scene {
  world: World;
  instances: readonly Instance[];
}

/** Strikes at once; resolves when what it broke for a while is mended. */
type Strike = (scene: Scene, fault: Fault) => Promise<void>;

/** Instances that must be at work when another is struck. */
const MIN_UP = 2;
const PATIENCE_MS = 20_000;
const JOIN_EVERY_MS = 1_000;

const STRIKES: Record<FaultKind, Strike> = {
  'instance killed': async (scene, fault) => (await victim(scene, fault)).signal('SIGKILL'),
  'instance terminated': async (scene, fault) => (await victim(scene, fault)).signal('SIGTERM'),
  'instance crashes at a point': async (scene, fault) => {
    const { point, nth } = fault;
    (await victim(scene, fault)).send({ kind: 'crash-at', point, nth });
  },
  'instance frozen briefly': freeze,
  'instance frozen beyond its session': freeze,
  'decoder killed': async (scene, fault) => {
    const { pid } = await victim(scene, fault);
    const decoders = await childrenOf(pid);
    for (const decoder of decoders.slice(0, 1)) process.kill(decoder.pid, 'SIGKILL');
  },
  'inference thread killed': async (scene, fault) =>
    (await victim(scene, fault)).send({ kind: 'kill-inference' }),
  'broker killed': (scene, fault) =>
    withoutBroker(scene, fault, (id) => scene.world.cluster.killNode(id)),
  'broker restarted': (scene, fault) =>
    withoutBroker(scene, fault, (id) => scene.world.cluster.stopNode(id)),
  'rebalance storm': storm,
  'store away': async ({ instances }, { forMs }) => {
    for (const instance of instances) instance.send({ kind: 'store', away: true });
    await sleep(forMs);
    for (const instance of instances) instance.send({ kind: 'store', away: false });
  },
};

export function strike(scene: Scene, fault: Fault): Promise<void> {
  return STRIKES[fault.kind](scene, fault);
}

/** An instance at work, as soon as enough are that the group does not stand still. */
async function victim({ instances }: Scene, { target }: Fault): Promise<Instance> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const up = instances.filter(({ isUp }) => isUp);
    const chosen = up[target % Math.max(up.length, 1)];
    if (chosen && (up.length >= MIN_UP || performance.now() > deadline)) return chosen;
    if (performance.now() > deadline * 2) throw new Error('no instance came up');
    await sleep(100);
  }
}

async function freeze(scene: Scene, fault: Fault): Promise<void> {
  const instance = await victim(scene, fault);
  await instance.freeze(fault.forMs);
}

/** One broker at a time: the next is not struck before every replica has caught up. */
async function withoutBroker(
  { world }: Scene,
  { target, forMs }: Fault,
  end: (id: number) => Promise<void>,
): Promise<void> {
  const id = (target % BROKERS) + 1;
  await untilReplicated(world);
  await end(id);
  await sleep(forMs);
  await world.cluster.startNode(id);
  await untilReplicated(world);
}

export async function untilReplicated({ kafka, config }: World): Promise<void> {
  const deadline = performance.now() + 60_000;
  const { input, verdicts, deadLetters } = config.topics;
  const topics = [input, verdicts, deadLetters, '__consumer_offsets'];
  for (;;) {
    const replicated = await withAdmin(kafka, 'looking at replicas', async (admin) => {
      const metadata = await admin.fetchTopicMetadata({ topics });
      return metadata.topics.every(({ partitions }) =>
        partitions.every(({ isr }) => isr.length === BROKERS),
      );
    }).catch(() => false);
    if (replicated) return;
    if (performance.now() > deadline) throw new Error('the replicas did not catch up');
    await sleep(250);
  }
}

/** A member of the group that comes and goes, and does nothing: each time everything is assigned anew. */
async function storm({ world: { kafka, config } }: Scene, { forMs }: Fault): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const consumer = kafka.consumer({
      groupId: config.kafka.groupId,
      sessionTimeout: config.kafka.sessionTimeoutMs,
      rebalanceTimeout: config.kafka.rebalanceTimeoutMs,
      heartbeatInterval: config.kafka.heartbeatIntervalMs,
      maxWaitTimeInMs: 100,
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [config.topics.input], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: () => Promise.resolve(),
      });
      await sleep(JOIN_EVERY_MS);
    } finally {
      await consumer.disconnect().catch(() => undefined);
    }
  }
}
