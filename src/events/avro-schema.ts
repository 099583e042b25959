/**
 * Avro schemas of other publishers, read for one purpose: resolving what they wrote. Defaults, docs, aliases and
 * order take no part in that (Avro specification, "Schema Resolution"), so they are not even looked at; avsc refuses
 * defaults that Java and the registries accept. Names are a stranger's: they are looked up in a Map.
 */
import { assertJsonWithin } from './json-bounds.ts';
import { MAX_SCHEMA_DEPTH, MAX_SCHEMA_VALUES } from './limits.ts';

const PRIMITIVES = [
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
] as const;
export type PrimitiveKind = (typeof PRIMITIVES)[number];

export interface AvroPrimitive {
  readonly kind: PrimitiveKind;
  readonly logical: string | undefined;
}
export interface AvroFixed {
  readonly kind: 'fixed';
  readonly name: string;
  readonly size: number;
  readonly logical: string | undefined;
}
export interface AvroRecord {
  readonly kind: 'record';
  readonly name: string;
  /** Filled after the record is known by name, since a record may hold itself. */
  readonly fields: { readonly name: string; readonly schema: AvroSchema }[];
}
export interface AvroEnum {
  readonly kind: 'enum';
  readonly name: string;
  readonly symbols: readonly string[];
}
export type AvroSchema =
  | AvroPrimitive
  | AvroFixed
  | AvroRecord
  | AvroEnum
  | { readonly kind: 'array'; readonly items: AvroSchema }
  | { readonly kind: 'map'; readonly values: AvroSchema }
  | { readonly kind: 'union'; readonly branches: readonly AvroSchema[] };

/** Types by full name. */
export type NamedSchemas = Map<string, AvroSchema>;

/**
 * The schema in `text`. `named` holds the types it may refer to by name and receives those it defines.
 * Throws Error when the text is no Avro schema.
 */
export function parseAvroSchema(text: string, named: NamedSchemas = new Map()): AvroSchema {
  assertJsonWithin(Buffer.from(text), { depth: MAX_SCHEMA_DEPTH, values: MAX_SCHEMA_VALUES });
  return parse(JSON.parse(text), '', named);
}

/** The name without its namespace. */
export function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function parse(node: unknown, namespace: string, named: NamedSchemas): AvroSchema {
  if (typeof node === 'string') return byName(node, namespace, named);
  if (Array.isArray(node)) {
    const branches = node.map((branch) => parse(branch, namespace, named));
    if (branches.some(({ kind }) => kind === 'union')) throw new Error('a union within a union');
    return { kind: 'union', branches };
  }
  if (!isObject(node)) throw new Error('a type that is neither a name nor an object nor a list');
  return parseObject(node, namespace, named);
}

function parseObject(node: Attributes, namespace: string, named: NamedSchemas): AvroSchema {
  switch (node['type']) {
    case 'record':
    case 'error':
      return parseRecord(node, namespace, named);
    case 'enum': {
      const { name } = nameOf(node, namespace);
      const symbols: unknown = node['symbols'];
      if (!Array.isArray(symbols) || !symbols.every((symbol) => typeof symbol === 'string')) {
        throw new Error(`enum ${name} has no list of symbols`);
      }
      return define({ kind: 'enum', name, symbols }, named);
    }
    case 'fixed': {
      const { name } = nameOf(node, namespace);
      const size = node['size'];
      if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
        throw new Error(`fixed ${name} has no size`);
      }
      return define({ kind: 'fixed', name, size, logical: logicalOf(node) }, named);
    }
    case 'array':
      return { kind: 'array', items: parse(node['items'], namespace, named) };
    case 'map':
      return { kind: 'map', values: parse(node['values'], namespace, named) };
    default: {
      const schema = parse(node['type'], namespace, named);
      const logical = logicalOf(node);
      return isPrimitive(schema) && logical !== undefined ? { ...schema, logical } : schema;
    }
  }
}

function parseRecord(node: Attributes, outer: string, named: NamedSchemas): AvroSchema {
  const { name, namespace } = nameOf(node, outer);
  const record: AvroRecord = { kind: 'record', name, fields: [] };
  define(record, named);
  const fields: unknown = node['fields'];
  if (!Array.isArray(fields)) throw new Error(`record ${name} has no list of fields`);
  for (const field of fields as unknown[]) {
    const fieldName = isObject(field) ? field['name'] : undefined;
    if (!isObject(field) || typeof fieldName !== 'string') {
      throw new Error(`record ${name} has a field without a name`);
    }
    record.fields.push({ name: fieldName, schema: parse(field['type'], namespace, named) });
  }
  return record;
}

function define<T extends AvroRecord | AvroEnum | AvroFixed>(schema: T, named: NamedSchemas): T {
  if (named.has(schema.name)) throw new Error(`type ${schema.name} is defined twice`);
  named.set(schema.name, schema);
  return schema;
}

/** Full name and namespace (Avro specification, "Names"). */
function nameOf(node: Attributes, outer: string): { name: string; namespace: string } {
  const { name, namespace } = node;
  if (typeof name !== 'string' || name === '') throw new Error('a named type without a name');
  const dot = name.lastIndexOf('.');
  if (dot >= 0) return { name, namespace: name.slice(0, dot) };
  const space = typeof namespace === 'string' ? namespace : outer;
  return { name: qualified(name, space), namespace: space };
}

function byName(name: string, namespace: string, named: NamedSchemas): AvroSchema {
  const kind = PRIMITIVES.find((primitive) => primitive === name);
  if (kind) return { kind, logical: undefined };
  const schema =
    named.get(name.includes('.') ? name : qualified(name, namespace)) ?? named.get(name);
  if (schema) return schema;
  throw new Error(`unknown type ${name.slice(0, 100)}`);
}

/** Debezium's types of Kafka Connect, which its converter to Avro writes as bare longs with this name. */
const DEBEZIUM = new Map([
  ['io.debezium.time.MicroTimestamp', 'timestamp-micros'],
  ['io.debezium.time.NanoTimestamp', 'timestamp-nanos'],
  ['io.debezium.time.MicroTime', 'time-micros'],
  ['io.debezium.time.NanoTime', 'time-nanos'],
]);

function logicalOf(node: Attributes): string | undefined {
  const { logicalType } = node;
  if (typeof logicalType === 'string') return logicalType;
  const connect = node['connect.name'];
  return typeof connect === 'string' ? DEBEZIUM.get(connect) : undefined;
}

function isPrimitive(schema: AvroSchema): schema is AvroPrimitive {
  return PRIMITIVES.some((kind) => kind === schema.kind);
}

function qualified(name: string, namespace: string): string {
  return namespace === '' ? name : `${namespace}.${name}`;
}

type Attributes = Record<string, unknown>;

function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
