import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../src/events/types.generated.ts';
import { openHashLists, type HashLists } from '../src/hashes/lists.ts';
import type { ListEntry, ListSpec } from '../src/hashes/hash-list.ts';
import { MemoryList } from '../src/hashes/memory-list.ts';
import { createMemoryCache } from '../src/cache/memory-cache.ts';
import type { ImageDecoder } from '../src/images/image-decoder.ts';
import { aDecodedImage } from './support/decoded-image.ts';
import { noLogger } from '../src/logger.ts';
import { setUpPipeline } from './support/pipeline.ts';

const sha256 = (name: string): string => createHash('sha256').update(name).digest('hex');

/** A hash of its own for each name, the same but for a bit where only a `'` is added. */
function pdqOf(name: string): string {
  const plain = name.replace("'", '');
  const hash = sha256(`pdq of ${plain}`);
  return plain === name
    ? hash
    : `${hash.slice(0, -1)}${(parseInt(hash.at(-1) ?? '0', 16) ^ 1).toString(16)}`;
}

/** Counts, and hashes only what it is asked to. */
class HashingDecoder implements ImageDecoder {
  readonly asked: string[] = [];

  decode(bytes: Buffer, wanted?: { pdq?: boolean }) {
    const name = bytes.toString();
    this.asked.push(name);
    const pdq = wanted?.pdq ? { hash: pdqOf(name), quality: 100 } : null;
    const data = new Uint8Array(Buffer.from(name.replace("'", '')));
    return Promise.resolve(aDecodedImage({ data, width: 1, height: 1 }, { pdq }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface List extends Partial<ListSpec> {
  entries: ListEntry[];
}

async function open(lists: readonly List[]): Promise<HashLists> {
  const built = lists.map(({ entries, ...spec }, at) => ({
    spec: {
      id: `list-${at}`,
      kind: 'block' as const,
      mode: 'enforce' as const,
      distance: 31,
      policies: null,
      ...spec,
    },
    source: new MemoryList(entries),
  }));
  return await openHashLists({ lists: built, logger: noLogger });
}

async function judge(names: readonly string[], lists: readonly List[]) {
  const images = new HashingDecoder();
  const { pipeline, sink } = setUpPipeline({
    names,
    parts: { images, lists: await open(lists), cache: createMemoryCache({ maxBytes: 1e6 }) },
    limits: { maxInFlight: 1 },
  });
  await pipeline.run();
  const verdicts: Verdict[] = sink.emissions.map(({ verdict }) => verdict);
  return { verdicts, asked: images.asked };
}

describe('an image on a list', () => {
  it('is blocked by its bytes without being looked at, even where it cannot be', async () => {
    const entries = [{ sha256: sha256('broken'), id: 'case 7' }];
    const { verdicts, asked } = await judge(['broken'], [{ entries }]);
    expect(asked).toEqual([]);
    expect(verdicts[0]).toMatchObject({
      outcome: 'block',
      reason: null,
      policies: [],
      lists: [{ list: 'list-0', kind: 'block', entry: 'case 7', by: 'sha256', distance: 0 }],
      image: { sha256: sha256('broken'), format: null },
    });
  });

  it('is blocked by what it looks like, whatever the policies say', async () => {
    const entries = [{ pdq: pdqOf('lake') }];
    const { verdicts } = await judge(['lake', "lake'", 'hill'], [{ entries }]);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['block', 'block', 'allow']);
    expect(verdicts[1]).toMatchObject({
      lists: [{ entry: pdqOf('lake'), by: 'pdq', distance: 1 }],
      policies: [{ band: 'allow', suppressedBy: null }],
      image: { pdq: { hash: pdqOf("lake'"), quality: 100 } },
    });
  });

  it('passes on an allow list, but not if a block list knows it too', async () => {
    const allow: List = { kind: 'allow', entries: [{ pdq: pdqOf('gun') }] };
    const block: List = { kind: 'block', entries: [{ pdq: pdqOf('gun') }] };
    expect((await judge(['gun'], [allow])).verdicts[0]).toMatchObject({
      outcome: 'allow',
      policies: [{ band: 'block' }],
    });
    expect((await judge(['gun'], [allow, block])).verdicts[0]?.outcome).toBe('block');
  });

  it('is reported and nothing else while the list is in shadow', async () => {
    const entries = [{ sha256: sha256('lake') }];
    const { verdicts, asked } = await judge(['lake'], [{ mode: 'shadow', entries }]);
    expect(asked).toEqual(['lake']);
    expect(verdicts[0]).toMatchObject({ outcome: 'allow', lists: [{ mode: 'shadow' }] });
  });
});

describe('a negative list', () => {
  const entries = [{ pdq: pdqOf('gun'), id: 'toy' }];

  it('keeps the policies that it is about from firing, and the verdict says why', async () => {
    const list: List = { kind: 'negative', policies: ['firearms'], entries };
    const { verdicts } = await judge(["gun'"], [list]);
    expect(verdicts[0]).toMatchObject({
      outcome: 'allow',
      policies: [{ id: 'firearms', band: 'allow', suppressedBy: 'list-0' }],
      lists: [{ kind: 'negative', entry: 'toy', policies: ['firearms'] }],
    });
    expect(verdicts[0]?.policies[0]?.score).toBeGreaterThan(0.9);
  });

  it.each<[string, Partial<ListSpec>]>([
    ['of others', { policies: ['alcohol'] }],
    ['in shadow', { mode: 'shadow' }],
  ])('%s keeps none from firing', async (_, spec) => {
    const { verdicts } = await judge(['gun'], [{ kind: 'negative', ...spec, entries }]);
    expect(verdicts[0]).toMatchObject({ outcome: 'block', policies: [{ suppressedBy: null }] });
  });
});

describe('what a verdict was judged by', () => {
  it('is another as soon as the lists are', async () => {
    const judged = async (lists: List[]): Promise<Verdict | undefined> =>
      (await judge(['hill'], lists)).verdicts[0];
    const none = await judged([]);
    const one = await judged([{ entries: [{ pdq: pdqOf('a') }] }]);
    const same = await judged([{ entries: [{ pdq: pdqOf('a'), note: 'why' }] }]);
    const other = await judged([{ entries: [{ pdq: pdqOf('b') }] }]);
    expect(same?.bundle.hash).toBe(one?.bundle.hash);
    expect(same?.verdictId).toBe(one?.verdictId);
    const hashes = [none, one, other].map((verdict) => verdict?.bundle.hash);
    expect(new Set(hashes).size).toBe(3);
    expect(new Set([none, one, other].map((verdict) => verdict?.verdictId)).size).toBe(3);
  });

  it('is inspected once more when a list first asks for perceptual hashes', async () => {
    const images = new HashingDecoder();
    let needsPdq = false;
    const lists: HashLists = {
      version: '',
      get needsPdq() {
        return needsPdq;
      },
      match: ({ pdq }) => {
        if (pdq === null) needsPdq = images.asked.length > 0;
        return [];
      },
      close: () => Promise.resolve(),
    };
    const { pipeline, sink } = setUpPipeline({
      names: ['gun', 'gun', 'gun'],
      parts: { images, lists, cache: createMemoryCache({ maxBytes: 1e6 }) },
      limits: { maxInFlight: 1 },
    });
    await pipeline.run();
    expect(images.asked).toEqual(['gun', 'gun']);
    const pdqs = sink.emissions.map(({ verdict }) => verdict.image?.pdq ?? null);
    expect(pdqs.map((pdq) => pdq !== null)).toEqual([false, true, true]);
  });
});
