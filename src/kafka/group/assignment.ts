/**
 * Who reads which partition. The leader of a group computes it for all members; what a member owns already it
 * keeps, as far as the shares are even (KIP-54, sticky assignment). A member is given only topics that it reads: while
 * instances are replaced by ones with other lanes, both are in the group.
 */
import { createRequire } from 'node:module';
import { keyOf, type TopicPartition } from '../by-topic.ts';

/** What a member tells the leader about itself. */
export interface MemberState {
  memberId: string;
  /** The topics that it reads; undefined where it does not say: all of them. */
  topics?: readonly string[] | undefined;
  /** What it reads since the last assignment. */
  owned: TopicPartition[];
}

/** Where a partition without a committed offset begins; see `PositionSource`. */
export interface PartitionStart extends TopicPartition {
  offset: number;
}

interface ProtocolCodec<T> {
  encode(value: T): Buffer;
  decode(buffer: Buffer): T | null;
}

const require = createRequire(import.meta.url);
const { MemberMetadata, MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol') as {
  MemberMetadata: ProtocolCodec<{ version: number; topics: string[]; userData: Buffer }>;
  MemberAssignment: ProtocolCodec<{
    version: number;
    assignment: Record<string, number[]>;
    userData: Buffer;
  }>;
};

/**
 * The protocols offered to the group, the preferred one first. The second is that of kafkajs' consumer, so that a
 * rolling upgrade from it works.
 */
export const PROTOCOLS = ['moderato-sticky', 'RoundRobinAssigner'] as const;

/**
 * Even shares of each topic for every member that reads it, so that all members share the work of every lane, and even
 * shares of all topics together. A member keeps what it owns of a topic up to its share of that topic.
 */
export function assign(
  partitions: readonly TopicPartition[],
  members: readonly MemberState[],
): Map<string, TopicPartition[]> {
  const sorted = members.toSorted((a, b) => compareText(a.memberId, b.memberId));
  const shares = new Map<string, TopicPartition[]>(sorted.map(({ memberId }) => [memberId, []]));
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)];
  for (const [topic, each] of topics.toSorted(([a], [b]) => compareText(a, b))) {
    const readers = sorted.filter((member) => member.topics?.includes(topic) ?? true);
    shareOut(each, readers, shares);
  }
  return shares;
}

/** Adds the partitions of one topic to the shares. */
function shareOut(
  partitions: readonly TopicPartition[],
  readers: readonly MemberState[],
  shares: ReadonlyMap<string, TopicPartition[]>,
): void {
  const free = new Map(partitions.map((each) => [keyOf(each), each]));
  const share = Math.floor(partitions.length / readers.length);
  const standing = readers.map(({ memberId, owned }) => {
    const mine = shares.get(memberId) ?? [];
    const claims = owned.map(keyOf).filter((key) => free.has(key));
    return { mine, claims, total: mine.length, limit: share };
  });
  // One more for those who have least, and among these for those who have it already.
  standing
    .toSorted(
      (a, b) =>
        a.total - b.total || Number(b.claims.length > share) - Number(a.claims.length > share),
    )
    .slice(0, partitions.length % readers.length)
    .forEach((each) => (each.limit += 1));
  for (const { mine, claims, total, limit } of standing) {
    for (const key of claims) {
      const known = free.get(key);
      if (known === undefined || mine.length - total >= limit) continue;
      free.delete(key);
      mine.push(known);
    }
  }
  const rest = [...free.values()];
  for (const { mine, total, limit } of standing) {
    mine.push(...rest.splice(0, total + limit - mine.length));
  }
}

/**
 * What a member says when it joins. `owned` is what `decodeMember` gives back. A group in which nothing else changes
 * is rebalanced only if a member says something new: hence the number of partitions that it knows of.
 */
export function encodeMember(
  topics: readonly string[],
  owned: readonly TopicPartition[],
  knownPartitions: number,
): Buffer {
  const userData = Buffer.from(
    JSON.stringify({ owned: byTopic(owned), partitions: knownPartitions }),
  );
  return MemberMetadata.encode({ version: 0, topics: [...topics], userData });
}

/** What a member reads and owns, as it says; it owns nothing if it has other software, or its bytes cannot be read. */
export function decodeMember(memberId: string, metadata: Buffer): MemberState {
  try {
    const decoded = MemberMetadata.decode(metadata);
    const owned = fromTopics(parse(decoded?.userData)['owned']);
    return { memberId, topics: decoded?.topics, owned };
  } catch {
    return { memberId, owned: [] }; // a defect of one member must not end the leader
  }
}

export function encodeAssignment(
  partitions: readonly TopicPartition[],
  starts: readonly PartitionStart[],
): Buffer {
  const userData = Buffer.from(
    JSON.stringify({
      starts: starts.map(({ topic, partition, offset }) => [topic, partition, offset]),
    }),
  );
  return MemberAssignment.encode({ version: 0, assignment: byTopic(partitions), userData });
}

export function decodeAssignment(buffer: Buffer): {
  partitions: TopicPartition[];
  starts: PartitionStart[];
} {
  const decoded = buffer.length > 0 ? MemberAssignment.decode(buffer) : null;
  const starts = parse(decoded?.userData)['starts'];
  return {
    partitions: fromTopics(decoded?.assignment),
    starts: Array.isArray(starts) ? starts.flatMap(startOf) : [],
  };
}

function startOf(entry: unknown): PartitionStart[] {
  if (!Array.isArray(entry)) return [];
  const [topic, partition, offset] = entry as unknown[];
  if (
    typeof topic !== 'string' ||
    !Number.isSafeInteger(partition) ||
    !Number.isSafeInteger(offset)
  ) {
    return [];
  }
  return [{ topic, partition: partition as number, offset: offset as number }];
}

/** User data of members with other software is not ours to understand. */
function parse(userData: Buffer | null | undefined): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(userData?.toString() ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function byTopic(partitions: readonly TopicPartition[]): Record<string, number[]> {
  const topics = Object.create(null) as Record<string, number[]>;
  for (const { topic, partition } of partitions) (topics[topic] ??= []).push(partition);
  return topics;
}

function fromTopics(topics: unknown): TopicPartition[] {
  if (typeof topics !== 'object' || topics === null) return [];
  return Object.entries(topics).flatMap(([topic, partitions]: [string, unknown]) =>
    Array.isArray(partitions)
      ? partitions
          .filter((partition) => Number.isSafeInteger(partition))
          .map((partition) => ({ topic, partition: partition as number }))
      : [],
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
