import type { AvroCursor } from './avro-cursor.ts';
import type { AvroSchema } from './avro-schema.ts';

/** Passes over one value of `schema`. Throws what the cursor does. */
export function skip(schema: AvroSchema, cursor: AvroCursor): void {
  switch (schema.kind) {
    case 'null':
      return;
    case 'boolean':
      cursor.advance(1);
      return;
    case 'float':
      cursor.advance(4);
      return;
    case 'double':
      cursor.advance(8);
      return;
    case 'fixed':
      cursor.advance(schema.size);
      return;
    case 'int':
    case 'long':
    case 'enum':
      cursor.long();
      return;
    case 'bytes':
    case 'string':
      cursor.advance(cursor.long());
      return;
    default:
      cursor.enter();
      skipParts(schema, cursor);
      cursor.leave();
  }
}

type Compound = Extract<AvroSchema, { kind: 'record' | 'array' | 'map' | 'union' }>;

function skipParts(schema: Compound, cursor: AvroCursor): void {
  switch (schema.kind) {
    case 'record':
      cursor.spend(schema.fields.length + 1);
      for (const field of schema.fields) skip(field.schema, cursor);
      return;
    case 'array':
      cursor.blocks(() => {
        skip(schema.items, cursor);
      }, true);
      return;
    case 'map':
      cursor.blocks(() => {
        cursor.advance(cursor.long());
        skip(schema.values, cursor);
      }, true);
      return;
    case 'union':
      skip(branchOf(schema.branches, cursor), cursor);
  }
}

/** The branch that the next value takes. */
export function branchOf<T>(branches: readonly T[], cursor: AvroCursor): T {
  const index = cursor.long();
  const branch = branches[index];
  if (branch === undefined) throw new Error(`a union has no branch ${index}`);
  return branch;
}
