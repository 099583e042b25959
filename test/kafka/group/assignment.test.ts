import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  assign,
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeMember,
  type MemberState,
} from '../../../src/kafka/group/assignment.ts';
import { keyOf, type TopicPartition } from '../../../src/kafka/by-topic.ts';

const require = createRequire(import.meta.url);
const { MemberMetadata } = require('kafkajs/src/consumer/assignerProtocol') as {
  MemberMetadata: { encode(value: object): Buffer };
};

// Not `__proto__`: kafkajs decodes an assignment into a plain object.
const topicNames = fc.constantFrom('images', 'images.eu', 'constructor', 'toString', 'a-b_c');
const partitionsOfTopics = fc
  .uniqueArray(fc.tuple(topicNames, fc.nat(30)), {
    selector: ([topic, partition]) => `${topic}/${partition}`,
    maxLength: 40,
  })
  .map((pairs) => pairs.map(([topic, partition]) => ({ topic, partition })));

/** Members that own anything: partitions that are gone, and ones that others own as well. */
const groups = fc.record({
  partitions: partitionsOfTopics,
  members: fc.uniqueArray(
    fc.record({ memberId: fc.string({ minLength: 1, maxLength: 6 }), owned: partitionsOfTopics }),
    { selector: ({ memberId }) => memberId, minLength: 1, maxLength: 7 },
  ),
});

const keys = (partitions: readonly TopicPartition[]): string[] => partitions.map(keyOf).sort();

/** `members` as they stand after an assignment. */
function settled(shares: ReadonlyMap<string, TopicPartition[]>): MemberState[] {
  return [...shares].map(([memberId, owned]) => ({ memberId, owned }));
}

describe('an assignment', () => {
  it('gives every partition to exactly one member, in shares that differ by one at most', () => {
    fc.assert(
      fc.property(groups, ({ partitions, members }) => {
        const shares = assign(partitions, members);
        expect([...shares.keys()].sort()).toEqual(members.map(({ memberId }) => memberId).sort());
        expect(keys([...shares.values()].flat())).toEqual(keys(partitions));
        const sizes = [...shares.values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is the same in whatever order the members are told', () => {
    fc.assert(
      fc.property(groups, fc.integer(), ({ partitions, members }, seed) => {
        const shuffled = members.toSorted(
          (a, b) => (Math.imul(a.memberId.length + seed, 31) % 7) - (b.memberId.length % 7),
        );
        const asRows = (shares: ReadonlyMap<string, TopicPartition[]>): Array<[string, string[]]> =>
          [...shares]
            .map(([memberId, mine]): [string, string[]] => [memberId, keys(mine)])
            .sort(([a], [b]) => (a < b ? -1 : 1));
        expect(asRows(assign(partitions, shuffled))).toEqual(asRows(assign(partitions, members)));
        expect(asRows(assign(partitions, members.toReversed()))).toEqual(
          asRows(assign(partitions, members)),
        );
      }),
    );
  });

  it('changes nothing when nothing has changed', () => {
    fc.assert(
      fc.property(groups, ({ partitions, members }) => {
        const before = assign(partitions, members);
        const after = assign(partitions, settled(before));
        for (const [memberId, mine] of after) {
          expect(keys(mine)).toEqual(keys(before.get(memberId) ?? []));
        }
      }),
    );
  });

  it('lets a member keep what it owns of a topic up to its share, whoever comes and whoever goes', () => {
    fc.assert(
      fc.property(
        groups,
        fc.array(fc.string({ minLength: 7, maxLength: 9 }), { maxLength: 3 }),
        fc.nat(),
        partitionsOfTopics,
        ({ partitions, members }, newcomers, leaver, added) => {
          const before = settled(assign(partitions, members));
          if (before.length > 1) before.splice(leaver % before.length, 1);
          const names = [...new Set(newcomers)];
          const now = [...before, ...names.map((memberId) => ({ memberId, owned: [] }))];
          const known = new Set(partitions.map(keyOf));
          const all = [...partitions, ...added.filter((each) => !known.has(keyOf(each)))];
          const after = assign(all, now);
          for (const [topic, each] of Map.groupBy(all, (partition) => partition.topic)) {
            const share = Math.floor(each.length / now.length);
            for (const { memberId, owned } of before) {
              const mine = new Set(after.get(memberId)?.map(keyOf));
              const before = owned.filter((partition) => partition.topic === topic);
              const kept = before.filter((partition) => mine.has(keyOf(partition))).length;
              expect(kept).toBeGreaterThanOrEqual(Math.min(before.length, share));
            }
          }
        },
      ),
    );
  });
});

describe('an assignment of several topics', () => {
  it('shares each of them evenly, so that every member works on every lane', () => {
    fc.assert(
      fc.property(groups, ({ partitions, members }) => {
        const shares = [...assign(partitions, members).values()];
        for (const topic of new Set(partitions.map((each) => each.topic))) {
          const sizes = shares.map((mine) => mine.filter((each) => each.topic === topic).length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('gives a member only topics that it reads, while instances with other lanes join', () => {
    const partitions = ['images', 'rescan'].flatMap((topic) =>
      [0, 1, 2, 3].map((partition) => ({ topic, partition })),
    );
    const shares = assign(partitions, [
      { memberId: 'new', topics: ['images', 'rescan'], owned: [] },
      { memberId: 'old', topics: ['images'], owned: partitions.slice(0, 4) },
    ]);
    const topicsOf = (memberId: string): string[] =>
      (shares.get(memberId) ?? []).map(({ topic }) => topic);
    expect(topicsOf('old')).toEqual(['images', 'images']);
    expect(topicsOf('new')).toEqual(['images', 'images', 'rescan', 'rescan', 'rescan', 'rescan']);
  });

  it('leaves out a topic that no member reads', () => {
    const partitions = [{ topic: 'rescan', partition: 0 }];
    const members = [{ memberId: 'old', topics: ['images'], owned: [] }];
    expect([...assign(partitions, members)]).toEqual([['old', []]]);
  });
});

describe('what members tell each other', () => {
  it('says what a member owns', () => {
    fc.assert(
      fc.property(partitionsOfTopics, fc.nat(100), (owned, known) => {
        const told = decodeMember('m', encodeMember(['images', 'rescan'], owned, known));
        expect(told.memberId).toBe('m');
        expect(told.topics).toEqual(['images', 'rescan']);
        expect(keys(told.owned)).toEqual(keys(owned));
      }),
    );
  });

  it('differs once a member knows of more partitions, so that the group is rebalanced', () => {
    expect(encodeMember(['images'], [], 2).equals(encodeMember(['images'], [], 3))).toBe(false);
  });

  it('says what is assigned and where it begins', () => {
    fc.assert(
      fc.property(partitionsOfTopics, fc.array(fc.maxSafeNat()), (partitions, offsets) => {
        const starts = partitions.map((each, index) => ({ ...each, offset: offsets[index] ?? 0 }));
        const told = decodeAssignment(encodeAssignment(partitions, starts));
        expect(keys(told.partitions)).toEqual(keys(partitions));
        expect(told.starts).toEqual(starts);
      }),
    );
  });

  it('is only its topics of a member with other software, whatever its user data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const metadata = MemberMetadata.encode({
          version: 1,
          topics: ['images'],
          userData: Buffer.from(bytes),
        });
        expect(decodeMember('other', metadata)).toEqual({
          memberId: 'other',
          topics: ['images'],
          owned: [],
        });
      }),
    );
    for (const json of ['null', '[]', '7', '{"owned":7}', '{"owned":{"images":["x",1.5,null]}}']) {
      const metadata = MemberMetadata.encode({
        version: 0,
        topics: ['images'],
        userData: Buffer.from(json),
      });
      expect(decodeMember('other', metadata).owned).toEqual([]);
    }
  });

  it('is nothing where the bytes are no metadata at all: one defect member does not end the leader', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(decodeMember('other', Buffer.from(bytes))).toEqual({ memberId: 'other', owned: [] });
      }),
    );
  });

  it('is an empty assignment where the answer is empty', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({ partitions: [], starts: [] });
  });
});
