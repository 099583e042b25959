/**
 * Partitions that do not move although they have records, and why. Pure: given the source's status again and again,
 * it says what has lasted long enough for an operator to know.
 */
import { listed, type Absence } from './absences.ts';
import type { PartitionStatus, SourceStatus } from '../consumers/event-source.ts';

export const STALL_KINDS = ['unassigned', 'parked', 'open-transaction', 'not-moving'] as const;

export interface Stall {
  kind: (typeof STALL_KINDS)[number];
  /** `topic/partition`; empty for what concerns the whole group. */
  where: string;
  /** What is the matter and what to do, for the log and for `/readyz`. */
  message: string;
}

export interface StallsOptions {
  /** How long something lasts before it is a stall, in ms. */
  afterMs: number;
  groupId: string;
  /** For the commands of Kafka's own tools in messages. */
  bootstrapServers: string;
}

interface Watched {
  position: number;
  since: number;
}

export class Stalls {
  readonly #options: StallsOptions;
  readonly #partitions = new Map<string, Watched>();
  #unassignedSince: number | undefined;

  constructor(options: StallsOptions) {
    this.#options = options;
  }

  /** What stands still by now. @param now - monotonic ms */
  look(status: SourceStatus, absent: readonly Absence[], now: number): Stall[] {
    const stalls = this.#lookAtGroup(status, now);
    const seen = new Set<string>();
    for (const each of status.partitions) {
      const where = `${each.topic}/${each.partition}`;
      seen.add(where);
      const watched = this.#partitions.get(where);
      const position = each.position ?? each.committed;
      if (watched?.position !== position || each.lag === null || each.lag === 0) {
        this.#partitions.set(where, { position, since: now });
        continue;
      }
      if (now - watched.since >= this.#options.afterMs) {
        stalls.push(this.#explain(where, each, absent, now - watched.since));
      }
    }
    for (const where of this.#partitions.keys()) {
      if (!seen.has(where)) this.#partitions.delete(where);
    }
    return stalls;
  }

  #lookAtGroup(status: SourceStatus, now: number): Stall[] {
    const { afterMs, groupId, bootstrapServers } = this.#options;
    if (status.assigned && status.partitions.length > 0) {
      this.#unassignedSince = undefined;
      return [];
    }
    this.#unassignedSince ??= now;
    if (now - this.#unassignedSince < afterMs) return [];
    const tool = `kafka-consumer-groups.sh --bootstrap-server ${bootstrapServers} --describe --group ${groupId} --members`;
    const message = status.assigned
      ? `this instance reads no partition: the group ${groupId} has more members than partitions; add partitions or run fewer instances. Members: ${tool}`
      : `the group ${groupId} has given this instance no partitions for ${seconds(now - this.#unassignedSince)}; look at its members: ${tool}`;
    return [{ kind: 'unassigned', where: '', message }];
  }

  #explain(where: string, each: PartitionStatus, absent: readonly Absence[], ms: number): Stall {
    const { topic, partition, parked = 0, lastStable, end, lag, openProducer } = each;
    const position = each.position ?? each.committed;
    const { bootstrapServers, groupId } = this.#options;
    if (parked > 0) {
      const names = listed(
        absent,
        ({ dependency, waiting }) => `${dependency} (${waiting} waiting)`,
      );
      const what = names.length > 0 ? names.join(', ') : 'a dependency';
      return {
        kind: 'parked',
        where,
        message: `${where} stands at offset ${position} for ${seconds(ms)}: ${parked} records wait for ${what}; bring it back, or lower pipeline.outageTimeoutMs`,
      };
    }
    if (
      lastStable !== undefined &&
      end !== undefined &&
      lastStable < end &&
      position >= lastStable
    ) {
      const tool = `kafka-transactions.sh --bootstrap-server ${bootstrapServers}`;
      const producer = openProducer === undefined ? 'a producer' : `producer ${openProducer}`;
      return {
        kind: 'open-transaction',
        where,
        message: `${where} stands at offset ${lastStable} for ${seconds(ms)}: an open transaction of ${producer} hides ${end - lastStable} records behind it. Find its producer: ${tool} describe-producers --topic ${topic} --partition ${partition}; end it: ${tool} abort --topic ${topic} --partition ${partition} --start-offset ${lastStable}`,
      };
    }
    return {
      kind: 'not-moving',
      where,
      message: `${where} stands at offset ${position} for ${seconds(ms)} with ${lag ?? 0} records to go; look at the group: kafka-consumer-groups.sh --bootstrap-server ${bootstrapServers} --describe --group ${groupId}; and at the record: moderato record show ${topic}/${partition}/${Math.max(0, position)}`,
    };
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
