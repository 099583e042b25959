import { AppError } from '../../src/errors.ts';
import type { SchemaId, SchemaRegistry } from '../../src/events/schema-registry.ts';

/** A registry in memory that counts what it is asked; with a `failure` set it answers nothing else. */
export class MemorySchemaRegistry implements SchemaRegistry {
  readonly lookups: SchemaId[] = [];
  readonly registrations: string[] = [];
  readonly schemas: string[] = [];
  /** Schemas by GUID. */
  readonly guids = new Map<string, string>();
  failure: AppError | null = null;

  /** The id of a schema that is there from the start. */
  add(schema: string): number {
    const known = this.schemas.indexOf(schema);
    return known >= 0 ? known + 1 : this.schemas.push(schema);
  }

  async schemaOf(id: SchemaId) {
    this.lookups.push(id);
    await Promise.resolve();
    if (this.failure) throw this.failure;
    const schema = typeof id === 'number' ? this.schemas[id - 1] : this.guids.get(id);
    if (schema !== undefined) return { schema, references: [] };
    throw new AppError('event_schema_unknown', `looking up schema ${id}: not known`);
  }

  async register(subject: string, schema: string) {
    this.registrations.push(subject);
    await Promise.resolve();
    if (this.failure) throw this.failure;
    return this.add(schema);
  }
}

/** `body` in Confluent wire format. */
export function confluent(id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, body]);
}
