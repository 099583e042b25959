import { createHash } from 'node:crypto';
import { messageOf } from '../errors.ts';
import type { ListKind, ListMatch } from '../events/types.generated.ts';
import type { Logger } from '../logger.ts';
import { HashList, type Fingerprint, type ListSpec } from './hash-list.ts';
import type { ListSource } from './list-source.ts';

/** Told of what becomes of each list, for metrics. */
export interface ListTelemetry {
  listLoaded(list: string, entries: number): void;
  /** What was loaded before stays in force. */
  listFailed(list: string): void;
}

export interface HashListsOptions {
  /** In any order; no id twice. */
  lists: readonly { spec: ListSpec; source: ListSource }[];
  logger: Logger;
  telemetry?: ListTelemetry | undefined;
}

/** All lists of a service. */
export interface HashLists {
  /** Whether an image's PDQ hash can make a difference. Ask for each image: a list may come to hold the first one. */
  readonly needsPdq: boolean;
  /**
   * SHA-256 over the content of all lists, in hex, empty where there are none: where it is equal, the same image has the same matches. It changes
   * with the lists; take it when matching.
   */
  readonly version: string;
  /**
   * The strongest match of each list, strongest first: block, allow, negative; then the nearest; then by the list's
   * id. A PDQ hash of a quality below 50 matches nothing.
   */
  match(image: Fingerprint): ListMatch[];
  close(): Promise<void>;
}

export const noLists: HashLists = {
  needsPdq: false,
  version: '',
  match: () => [],
  close: () => Promise.resolve(),
};

const STRENGTH: Record<ListKind, number> = { block: 0, allow: 1, negative: 2 };

/**
 * Loads all lists and follows them.
 * Throws AppError `list_invalid`, or what keeps a source from its entries; then nothing stays open.
 */
export async function openHashLists(options: HashListsOptions): Promise<HashLists> {
  const { lists, logger, telemetry } = options;
  if (lists.length === 0) return noLists;
  const sources = lists.map(({ source }) => source);
  const loaded = new Map<string, HashList>();
  let version = versionOf(loaded);
  const close = async (): Promise<void> => {
    await Promise.all(sources.map((source) => source.close()));
  };

  function load(list: HashList, from: string): void {
    const { id } = list.spec;
    loaded.set(id, list);
    version = versionOf(loaded);
    telemetry?.listLoaded(id, list.size);
    logger.info({ list: id, from, entries: list.size, version: list.version }, 'list loaded');
  }

  const opening = lists.map(({ spec, source }) =>
    source.open({
      changed: (entries) => load(new HashList(spec, entries), source.name),
      failed: (err) => {
        telemetry?.listFailed(spec.id);
        logger.error(
          { list: spec.id, from: source.name, err },
          `list not reloaded: ${messageOf(err)}`,
        );
      },
    }),
  );
  try {
    await Promise.all(opening);
  } catch (error) {
    await Promise.allSettled(opening);
    await close();
    throw error;
  }
  return {
    get needsPdq() {
      return sources.some((s) => s.mayHoldPdq) || [...loaded.values()].some((l) => l.holdsPdq);
    },
    get version() {
      return version;
    },
    match: (image) =>
      [...loaded.values()].flatMap((list) => list.match(image) ?? []).sort(byStrength),
    close,
  };
}

function byStrength(a: ListMatch, b: ListMatch): number {
  return (
    STRENGTH[a.kind] - STRENGTH[b.kind] || a.distance - b.distance || (a.list < b.list ? -1 : 1)
  );
}

function versionOf(lists: ReadonlyMap<string, HashList>): string {
  const versions = [...lists.values()].map((list) => list.version).sort();
  return createHash('sha256').update(versions.join('\n')).digest('hex');
}
