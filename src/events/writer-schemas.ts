import { LRUCache } from 'lru-cache';
import { systemClock, type Clock } from '../clock.ts';
import { AppError, dispositionOf, messageOf } from '../errors.ts';
import { createAvroReader, type AvroReader } from './avro-reader.ts';
import { parseAvroSchema, type AvroSchema, type NamedSchemas } from './avro-schema.ts';
import type { SchemaId, SchemaRegistry, WriterSchema } from './schema-registry.ts';
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
   * Characters of the schemas of the readers kept, together.
   * @default 33554432
   */
  maxKeptLength?: number;
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
export type ReaderOf = (id: SchemaId) => Promise<AvroReader>;

/**
 * Looks up each schema id once, however many records wait for it. Lookups go one at a time: steady
 * traffic has a handful of ids, and garbage must queue behind itself.
 */
export function createWriterSchemas(options: WriterSchemasOptions): ReaderOf {
  const { contract, registry, clock = systemClock } = options;
  const { maxKept = 200, maxKeptLength = 32 * 1024 * 1024 } = options;
  const { refuseForMs = 10_000, missIntervalMs = 100 } = options;
  const readers = new LRUCache<SchemaId, AvroReader>({ max: maxKept, maxSize: maxKeptLength });
  const refused = new LRUCache<SchemaId, { error: AppError; until: number }>({ max: maxKept });
  const pending = new Map<SchemaId, Promise<AvroReader>>();
  let lastLookup: Promise<unknown> = Promise.resolve();
  let quietUntil = 0;

  async function lookUp(id: SchemaId): Promise<AvroReader> {
    const quiet = quietUntil - clock.elapsed();
    if (quiet > 0) await clock.sleep(quiet);
    try {
      const writer = await registry.schemaOf(id);
      const reader = createAvroReader(contract, parse(writer, `looking up schema ${id}`));
      readers.set(id, reader, { size: lengthOf(writer) });
      return reader;
    } catch (error) {
      if (error instanceof AppError && dispositionOf(error) === 'dead-letter') {
        const now = clock.elapsed();
        quietUntil = now + missIntervalMs;
        refused.set(id, { error, until: now + refuseForMs });
      }
      throw error;
    }
  }

  return async (id) => {
    const reader = readers.get(id);
    if (reader) return reader;
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

function parse({ schema, references }: WriterSchema, doing: string): AvroSchema {
  const named: NamedSchemas = new Map();
  try {
    for (const reference of references) parseAvroSchema(reference, named);
    return parseAvroSchema(schema, named);
  } catch (error) {
    throw new AppError(
      'event_schema_incompatible',
      `${doing}: not a valid Avro schema: ${messageOf(error).slice(0, 300)}`,
      { cause: error },
    );
  }
}

function lengthOf({ schema, references }: WriterSchema): number {
  return references.reduce((sum, { length }) => sum + length, schema.length + 1);
}
