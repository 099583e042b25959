import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { groupByTopic, keyOf, type TopicPartition } from '../by-topic.ts';
import { partitionsOf, type Cluster } from '../cluster.ts';
import { causes, isTransient, protocolType } from '../errors.ts';
import {
  assign,
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeMember,
  PROTOCOLS,
  type PartitionStart,
} from './assignment.ts';
import type { Coordinator } from './coordinator.ts';
import type { AssignmentChange, OffsetCommit } from './group-handler.ts';
import { Heartbeats } from './heartbeats.ts';
import { explainFencing } from './instance-id.ts';
import type { Positions } from './positions.ts';

export interface MembershipOptions {
  cluster: Cluster;
  coordinator: Coordinator;
  positions: Positions;
  topics: readonly string[];
  groupId: string;
  /** `group.instance.id` (KIP-345): a process that restarts under the same id within the session keeps its partitions. */
  instanceId?: string | undefined;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  heartbeatIntervalMs: number;
  clock: Clock;
  logger?: Logger | undefined;
  /** Aborts when the member is closed. */
  signal: AbortSignal;
  /** The group is about to be joined again: what is resolved by the time this settles is not read twice. */
  onRebalancing: () => Promise<void>;
  /** Called between generations, before anything of the new one is asked for. */
  onAssigned: (change: AssignmentChange) => void;
  /** The group has confirmed the membership. */
  onHeartbeat: () => void;
}

interface JoinAnswer {
  generationId: number;
  leaderId: string;
  memberId: string;
  groupProtocol: string;
  members: Array<{ memberId: string; memberMetadata: Buffer }>;
}

/** Of a request that the coordinator answers by itself, and of one for which it waits for the group's leader. */
const REQUEST_TIMEOUT_MS = 5_000;
const SYNC_TIMEOUT_MS = 15_000;
const LEAVE_TIMEOUT_MS = 1_000;
/** So many heartbeats of a session may go unanswered: meanwhile the group may have found another coordinator. */
const HEARTBEATS_PER_SESSION = 3;
const FIRST_RETRY_MS = 250;
/** A coordinator that was lost is replaced within seconds, and partitions stand still until then. */
const LONGEST_RETRY_MS = 1_000;
/** Retries before they are worth a warning: coordinators load and move in normal operation. */
const QUIET_RETRIES = 3;
const WARN_EVERY = 10;

/** After these the member has no place in the group any more. */
const MEMBER_GONE = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']);

/**
 * The member of a consumer group, by the classic group protocol: joins, learns its partitions, and stays while its
 * heartbeats are answered.
 */
export class GroupMembership {
  readonly #options: MembershipOptions;
  #memberId = '';
  #generation = -1;
  #owned: TopicPartition[] = [];
  /** True while another member may have read what this one owned. */
  #lapsed = true;
  #rejoin: (() => void) | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Runs until the member is closed. Rejects with what trying again cannot help. */
  async run(): Promise<void> {
    const { signal, clock, logger, groupId } = this.#options;
    const isOver = (): boolean => signal.aborted;
    let failures = 0;
    while (!isOver()) {
      try {
        await this.#join();
        failures = 0;
        await this.#stay();
      } catch (error) {
        if (isOver()) return;
        if (this.#isRejoin(error)) continue;
        if (!isTransient(error)) throw explainFencing(error, this.#options);
        failures += 1;
        const level = failures % WARN_EVERY === QUIET_RETRIES + 1 ? 'warn' : 'debug';
        logger?.[level]({ groupId, failures, error: messageOf(error) }, 'joining the group failed');
        const delay = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
        await clock.sleep(delay, signal).catch(() => undefined);
      }
    }
  }

  /** Joins again as soon as possible, for example since topics have new partitions. */
  rejoin(): void {
    this.#rejoin?.();
  }

  /** One attempt, in the generation of this moment. Throws what the broker answers. */
  async commit(commits: readonly OffsetCommit[]): Promise<void> {
    const topics = groupByTopic(commits, ({ partition, offset, metadata }) => ({
      partition,
      offset: String(offset),
      metadata: metadata ?? null,
    }));
    await this.#ask('OffsetCommit', {
      groupGenerationId: this.#generation,
      memberId: this.#memberId,
      retentionTime: -1,
      topics,
    });
  }

  /**
   * Leaves, so that the group does not wait for the session to expire. A member with an instance id stays: its
   * process is expected back.
   */
  async leave(): Promise<void> {
    if (this.#memberId === '' || this.#options.instanceId !== undefined) return;
    const memberId = this.#memberId;
    this.#memberId = '';
    await this.#ask('LeaveGroup', { memberId }, LEAVE_TIMEOUT_MS);
  }

  async #join(): Promise<void> {
    const { cluster, topics } = this.#options;
    await cluster.refreshMetadataIfNecessary();
    // A topic that is missing is known before anything is waited for.
    const known = partitionsOf(cluster, topics).length;
    const joined = await this.#askJoin(known);
    const isNext = joined.generationId === this.#generation + 1;
    this.#memberId = joined.memberId;
    const groupAssignment =
      joined.leaderId === joined.memberId ? await this.#assignAll(joined) : [];
    const { memberAssignment } = await this.#ask<{ memberAssignment: Buffer }>(
      'SyncGroup',
      {
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupInstanceId: this.#options.instanceId ?? null,
        groupAssignment,
      },
      SYNC_TIMEOUT_MS,
    );
    this.#generation = joined.generationId;
    this.#take(decodeAssignment(memberAssignment), isNext && !this.#lapsed);
    this.#lapsed = false;
  }

  async #askJoin(knownPartitions: number): Promise<JoinAnswer> {
    const { topics, sessionTimeoutMs, rebalanceTimeoutMs, instanceId } = this.#options;
    const parameters = {
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      groupInstanceId: instanceId ?? null,
      protocolType: 'consumer',
      groupProtocols: PROTOCOLS.map((name) => ({
        name,
        metadata: encodeMember(topics, this.#owned, knownPartitions),
      })),
    };
    const timeoutMs = rebalanceTimeoutMs + SYNC_TIMEOUT_MS;
    try {
      return await this.#ask('JoinGroup', { ...parameters, memberId: this.#memberId }, timeoutMs);
    } catch (error) {
      const given = [...causes(error)].find(({ type }) => type === 'MEMBER_ID_REQUIRED');
      if (!given || !('memberId' in given)) throw error;
      this.#memberId = String(given.memberId);
      return this.#ask('JoinGroup', { ...parameters, memberId: this.#memberId }, timeoutMs);
    }
  }

  /** What the leader computes for everybody. */
  async #assignAll(
    joined: JoinAnswer,
  ): Promise<Array<{ memberId: string; memberAssignment: Buffer }>> {
    const { cluster, topics, positions } = this.#options;
    await cluster.refreshMetadata();
    const partitions = partitionsOf(cluster, topics);
    const starts = await positions.starts(partitions);
    const isSticky = joined.groupProtocol === PROTOCOLS[0];
    const members = joined.members.map(({ memberId, memberMetadata }) => {
      const member = decodeMember(memberId, memberMetadata);
      return isSticky ? member : { ...member, owned: [] };
    });
    return [...assign(partitions, members)].map(([memberId, mine]) => {
      const keys = new Set(mine.map(keyOf));
      const own = starts.filter((start) => keys.has(keyOf(start)));
      return { memberId, memberAssignment: encodeAssignment(mine, own) };
    });
  }

  #take(
    { partitions, starts }: { partitions: TopicPartition[]; starts: PartitionStart[] },
    isUnbroken: boolean,
  ): void {
    const before = new Set(this.#owned.map(keyOf));
    const now = new Set(partitions.map(keyOf));
    const isKept = (each: TopicPartition): boolean => isUnbroken && before.has(keyOf(each));
    const change: AssignmentChange = {
      generation: this.#generation,
      kept: partitions.filter(isKept),
      gained: partitions.filter((each) => !isKept(each)),
      lost: this.#owned.filter((each) => !isUnbroken || !now.has(keyOf(each))),
      starts,
    };
    this.#owned = partitions;
    this.#options.onAssigned(change);
  }

  /** Returns when the group is to be joined again; throws when the place in it is lost. */
  async #stay(): Promise<void> {
    const { heartbeatIntervalMs, clock, signal, onHeartbeat, onRebalancing } = this.#options;
    const asked = Promise.withResolvers<undefined>();
    this.#rejoin = () => asked.resolve(undefined);
    using beats = new Heartbeats({
      beat: () => this.#beat(),
      intervalMs: heartbeatIntervalMs,
      clock,
      signal,
      onBeat: onHeartbeat,
    });
    await Promise.race([beats.ended, asked.promise]);
    this.#rejoin = undefined;
    if (signal.aborted) return;
    await onRebalancing(); // heartbeats go on meanwhile
  }

  /** True when the group calls for a rebalance. */
  async #beat(): Promise<boolean> {
    const { instanceId, sessionTimeoutMs } = this.#options;
    try {
      await this.#ask(
        'Heartbeat',
        {
          groupGenerationId: this.#generation,
          memberId: this.#memberId,
          groupInstanceId: instanceId ?? null,
        },
        Math.min(REQUEST_TIMEOUT_MS, sessionTimeoutMs / HEARTBEATS_PER_SESSION),
      );
      return false;
    } catch (error) {
      if (protocolType(error) === 'REBALANCE_IN_PROGRESS') return true;
      if (!isTransient(error) || MEMBER_GONE.has(protocolType(error) ?? '')) throw error;
      // The place in the group is kept for the session: asking again decides.
      this.#options.logger?.debug({ error: messageOf(error) }, 'a heartbeat was not answered');
      return false;
    }
  }

  /** True when joining again at once is the answer to `error`. */
  #isRejoin(error: unknown): boolean {
    const type = protocolType(error);
    if (type === 'REBALANCE_IN_PROGRESS') return true;
    if (type === undefined || !MEMBER_GONE.has(type)) return false;
    if (type === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
    this.#options.logger?.warn(
      { groupId: this.#options.groupId, generation: this.#generation },
      'the group has dropped this member: joining again',
    );
    this.#lapsed = true;
    return true;
  }

  #ask<T>(
    api: Parameters<Coordinator['ask']>[0],
    parameters: object,
    ms = REQUEST_TIMEOUT_MS,
  ): Promise<T> {
    return this.#options.coordinator.ask<T>(api, parameters, ms);
  }
}
