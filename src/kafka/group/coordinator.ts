import type { Clock } from '../../clock.ts';
import { ask, dropBroker, type Api, type Broker, type Cluster } from '../cluster.ts';
import { protocolType } from '../errors.ts';
import { within } from '../within.ts';

/** After these the group has another coordinator, or its coordinator has not loaded the group yet. */
const MOVED = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/** The broker that keeps a group. Asks it, and finds it again after it has moved or has not answered. */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #clock: Clock;
  #nodeId: number | undefined;

  constructor({ cluster, groupId, clock }: { cluster: Cluster; groupId: string; clock: Clock }) {
    this.#cluster = cluster;
    this.#groupId = groupId;
    this.#clock = clock;
  }

  /** One attempt. Throws AppError `kafka_unavailable` when there is no answer within `ms`, else what kafkajs throws. */
  async ask<T>(api: Api, parameters: object, ms: number): Promise<T> {
    const doing = `asking the coordinator of group ${this.#groupId} (${api})`;
    const time = { clock: this.#clock, ms, doing };
    const broker = await within(this.#find(), time).catch((error: unknown) => {
      this.#nodeId = undefined;
      throw error;
    });
    try {
      return await within(ask<T>(broker, api, { groupId: this.#groupId, ...parameters }), time);
    } catch (error) {
      const type = protocolType(error);
      if (type === undefined) dropBroker(this.#cluster, broker);
      if (type === undefined || MOVED.has(type)) this.#nodeId = undefined;
      throw error;
    }
  }

  /** The broker is looked up each time: its connections may have been given up since. */
  async #find(): Promise<Broker> {
    const { brokerPool } = this.#cluster;
    if (this.#nodeId === undefined) {
      const any = await brokerPool.findConnectedBroker();
      const { coordinator } = await ask<{ coordinator: { nodeId: number } }>(
        any,
        'GroupCoordinator',
        { groupId: this.#groupId, coordinatorType: 0 },
      );
      this.#nodeId = coordinator.nodeId;
    }
    const node = { nodeId: this.#nodeId };
    return this.#cluster.findBroker(node).catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'KafkaJSBrokerNotFound') throw error;
      return this.#cluster.findBroker(node); // kafkajs has asked for new metadata
    });
  }
}
