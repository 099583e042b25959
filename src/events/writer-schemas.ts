import { systemClock, type Clock } from '../clock.ts';
import { AppError, dispositionOf } from '../errors.ts';
import { createAvroReader, type AvroReader } from './avro-reader.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import type { Contract } from './schemas.ts';

export interface WriterSchemasOptions {
  contract: Contract;
  registry: SchemaRegistry;
  clock?: Clock | undefined;
  /**
   * Readers kept, the least recently used dropped first; also how many refused ids are remembered.
   * @default 200
   */
  maxKept?: number;
  /**
   * How long an id that the registry does not know is refused without asking again, in ms.
   * @default 10000
   */
  refuseForMs?: number;
  /**
   * How long to wait after an unknown id before the registry is asked for another one, in ms. It bounds
   * what a flood of garbage ids asks of the registry.
   * @default 100
   */
  missIntervalMs?: number;
}

/** The reader for a writer's schema id; throws what `SchemaRegistry.schemaOf` does. */
export type ReaderOf = (id: number) => Promise<AvroReader>;

/**
 * Looks up each schema id once, however many records wait for it. Lookups go one at a time: steady
 * traffic has a handful of ids, and garbage must queue behind itself.
 */
export function createWriterSchemas(options: WriterSchemasOptions): ReaderOf {
  const { contract, registry, clock = systemClock } = options;
  const { maxKept = 200, refuseForMs = 10_000, missIntervalMs = 100 } = options;
  const readers = new Map<number, AvroReader>();
  const refused = new Map<number, { error: AppError; until: number }>();
  const pending = new Map<number, Promise<AvroReader>>();
  let lastLookup: Promise<unknown> = Promise.resolve();
  let quietUntil = 0;

  async function lookUp(id: number): Promise<AvroReader> {
    const quiet = quietUntil - clock.elapsed();
    if (quiet > 0) await clock.sleep(quiet);
    try {
      const reader = createAvroReader(contract, await registry.schemaOf(id));
      keep(readers, id, reader, maxKept);
      return reader;
    } catch (error) {
      if (error instanceof AppError && dispositionOf(error) === 'dead-letter') {
        const now = clock.elapsed();
        quietUntil = now + missIntervalMs;
        keep(refused, id, { error, until: now + refuseForMs }, maxKept);
      }
      throw error;
    }
  }

  return async (id) => {
    const reader = readers.get(id);
    if (reader) {
      keep(readers, id, reader, maxKept);
      return reader;
    }
    const refusal = refused.get(id);
    if (refusal && clock.elapsed() < refusal.until) throw refusal.error;

    const waiting = pending.get(id);
    if (waiting) return waiting;
    const lookup = lastLookup.then(() => lookUp(id)).finally(() => pending.delete(id));
    lastLookup = lookup.catch(() => undefined);
    pending.set(id, lookup);
    return lookup;
  };
}

/** Puts an entry at the young end of the map and drops from the old one. */
function keep<T>(entries: Map<number, T>, id: number, entry: T, max: number): void {
  entries.delete(id);
  entries.set(id, entry);
  if (entries.size > max) entries.delete(entries.keys().next().value ?? id);
}
