/**
 * Reads what a writer wrote as one of our types (Avro specification, "Schema Resolution"). Resolution is lazy, as
 * the specification has it: a branch of a writer's union that we cannot read is an error only of the value that
 * takes it, so publishers may make fields nullable and put several event types on one topic.
 */
import avsc from 'avsc';
import { scalarReader, type Read } from './avro-scalars.ts';
import { unqualified, type AvroRecord, type AvroSchema } from './avro-schema.ts';
import { branchOf, skip } from './avro-skip.ts';
import { joinPath, prefixFaults } from './faults.ts';
import { MAX_DEPTH } from './limits.ts';
import { defaultOf } from './schemas.ts';

/** The writer's schema cannot be read as ours: always, or where a value takes the branch that cannot. */
export class Mismatch extends Error {}

/** The position of a type within ours. */
interface Place {
  /** From the message, or the array or map around it; dotted. */
  readonly path: string;
  readonly depth: number;
  /** What a null is read as where the type itself has none. */
  readonly whenNull?: () => unknown;
}

/**
 * The reader of whole messages. The record itself must have our name, without its namespace; the names of
 * records inside it do not matter. Throws Mismatch where no value of `writer` can be read.
 */
export function resolveMessage(writer: AvroSchema, reader: avsc.Type): Read {
  const names = namesOf(reader);
  const named = (schema: AvroSchema): Read => {
    if (schema.kind === 'record' && !names.has(unqualified(schema.name))) {
      const theirs = unqualified(schema.name).slice(0, 100);
      throw new Mismatch(`it is of type ${theirs}, not ${[...names].join(' or ')}`);
    }
    return resolve(schema, reader, { path: '', depth: 0 });
  };
  if (writer.kind !== 'union') return named(writer);
  const isFault = writer.branches.map(({ kind }) => kind === 'null');
  return lazily(
    writer.branches.map((branch) => () => (branch.kind === 'null' ? nullMessage : named(branch))),
    isFault,
  );
}

const nullMessage: Read = (_, faults) => {
  faults.push({ path: '', problem: 'the message is null' });
  return {};
};

function resolve(writer: AvroSchema, reader: avsc.Type, place: Place): Read {
  const { types } = avsc;
  if (place.depth > MAX_DEPTH) throw new Mismatch(`nested deeper than ${MAX_DEPTH} levels`);
  const inner = { ...place, depth: place.depth + 1 };
  if (writer.kind === 'union') {
    const isFault = writer.branches.map(({ kind }) => kind === 'null' && !takesNull(reader));
    const branches = writer.branches.map((branch, index) => () => {
      return isFault[index] === true ? nullReader(reader, place) : resolve(branch, reader, inner);
    });
    return lazily(branches, isFault);
  }
  if (reader instanceof types.UnwrappedUnionType || reader instanceof types.WrappedUnionType) {
    return intoUnion(writer, reader.types, inner);
  }
  if (reader instanceof types.RecordType && writer.kind === 'record') {
    return recordReader(writer, reader, inner);
  }
  if (reader instanceof types.ArrayType && writer.kind === 'array') {
    return arrayReader(lazyItem(writer.items, reader.itemsType, inner), place.path);
  }
  if (reader instanceof types.MapType && writer.kind === 'map') {
    const values = lazyItem(writer.values, reader.valuesType as avsc.Type, inner);
    return mapReader(values, place.path);
  }
  if (reader instanceof types.EnumType && writer.kind === 'enum') {
    return enumReader(writer.symbols, reader, place.path);
  }
  const read = scalarReader(writer, reader);
  if (!read) throw new Mismatch(`${at(place)}cannot read ${describe(writer)} as ${kindOf(reader)}`);
  return withPath(read, place.path);
}

/**
 * A reader of a union, one of its branches for each value. A branch that cannot be read throws where a value takes
 * it; when none can, apart from nulls that are faults, the union as a whole cannot.
 */
function lazily(branches: readonly (() => Read)[], isFault: readonly boolean[] = []): Read {
  let mismatch: Mismatch | undefined;
  let readable = 0;
  const reads = branches.map((resolveBranch, index): Read => {
    try {
      const read = resolveBranch();
      if (isFault[index] !== true) readable++;
      return read;
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      mismatch ??= error;
      return () => {
        throw error;
      };
    }
  });
  if (readable === 0 && mismatch !== undefined) throw mismatch;
  if (reads.length === 0) throw new Mismatch('a union without branches');
  return (cursor, faults) => branchOf(reads, cursor)(cursor, faults);
}

/** The reader's first branch of the writer's kind, else the first that it can be promoted to. */
function intoUnion(writer: AvroSchema, branches: readonly avsc.Type[], place: Place): Read {
  const same = branches.filter(({ typeName }) => typeName === writer.kind);
  let mismatch: Mismatch | undefined;
  const others = branches.filter(({ typeName }) => typeName !== writer.kind);
  for (const branch of [...same, ...others]) {
    try {
      return resolve(writer, branch, place);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      mismatch ??= error;
    }
  }
  throw mismatch ?? new Mismatch(`${at(place)}a union without branches`);
}

function recordReader(writer: AvroRecord, reader: avsc.types.RecordType, place: Place): Read {
  const theirs = new Map(writer.fields.map((field) => [field.name, field.schema]));
  /** The writer's name of each of our fields that it has. */
  const found = new Map<string, avsc.types.Field>();
  const defaults: { name: string; value: () => unknown }[] = [];
  for (const field of reader.fields) {
    const name = [field.name, ...field.aliases].find((each) => theirs.has(each));
    const value = () => defaultOf(field);
    if (name !== undefined) found.set(name, field);
    else if (value() !== undefined) defaults.push({ name: field.name, value });
    else throw new Mismatch(`${joinPath(place.path, field.name)}: missing in the writer's schema`);
  }
  const steps = writer.fields.map(({ name, schema }) => {
    const field = found.get(name);
    if (!field) return { name: null, schema };
    const value = () => defaultOf(field);
    const path = joinPath(place.path, field.name);
    const whenNull = value() === undefined ? {} : { whenNull: value };
    return {
      name: field.name,
      read: resolve(schema, field.type, { path, depth: place.depth, ...whenNull }),
    };
  });
  return (cursor, faults) => {
    cursor.enter();
    cursor.spend(steps.length + 1);
    const message: Record<string, unknown> = {};
    for (const step of steps) {
      if (step.name === null) skip(step.schema, cursor);
      else message[step.name] = step.read(cursor, faults);
    }
    for (const { name, value } of defaults) message[name] = value();
    cursor.leave();
    return message;
  };
}

/** The items' reader; items that can never be read are an error only where there is one. */
function lazyItem(writer: AvroSchema, reader: avsc.Type, { depth }: Place): Read {
  return lazyOne(() => resolve(writer, reader, { path: '', depth }));
}

function lazyOne(resolveItem: () => Read): Read {
  try {
    return resolveItem();
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    return () => {
      throw error;
    };
  }
}

function arrayReader(readItem: Read, path: string): Read {
  return (cursor, faults) => {
    const items: unknown[] = [];
    cursor.enter();
    cursor.blocks((index) => {
      const before = faults.length;
      items.push(readItem(cursor, faults));
      if (faults.length > before) prefixFaults(faults, before, joinPath(path, `${index}`));
    });
    cursor.leave();
    return items;
  };
}

const LONGEST_KEY_SHOWN = 60;

function mapReader(readValue: Read, path: string): Read {
  return (cursor, faults) => {
    // Keys are a stranger's: `__proto__` is one like any other.
    const entries = Object.create(null) as Record<string, unknown>;
    cursor.enter();
    cursor.blocks(() => {
      const before = faults.length;
      const key = cursor.text();
      entries[key] = readValue(cursor, faults);
      if (faults.length > before) {
        prefixFaults(faults, before, joinPath(path, key.slice(0, LONGEST_KEY_SHOWN)));
      }
    });
    cursor.leave();
    return entries;
  };
}

function enumReader(symbols: readonly string[], reader: avsc.types.EnumType, path: string): Read {
  const ours = new Set(reader.symbols);
  // avsc's types leave out `default`, which Avro 1.9 added.
  const { default: fallback } = reader as { default?: string };
  return (cursor, faults) => {
    const symbol = branchOf(symbols, cursor);
    if (ours.has(symbol)) return symbol;
    if (fallback !== undefined) return fallback;
    faults.push({ path, problem: `expected one of ${reader.symbols.join(', ')}` });
    return undefined;
  };
}

function nullReader(reader: avsc.Type, { path, whenNull }: Place): Read {
  if (whenNull) return whenNull;
  return (_, faults) => {
    faults.push({ path, problem: `expected ${kindOf(reader)}, not null` });
    return undefined;
  };
}

function withPath(read: Read, path: string): Read {
  return (cursor, faults) => {
    const before = faults.length;
    const value = read(cursor, faults);
    if (faults.length > before) prefixFaults(faults, before, path);
    return value;
  };
}

function takesNull(reader: avsc.Type): boolean {
  const { types } = avsc;
  if (reader.typeName === 'null') return true;
  const isUnion =
    reader instanceof types.UnwrappedUnionType || reader instanceof types.WrappedUnionType;
  return isUnion && reader.types.some(({ typeName }) => typeName === 'null');
}

/** Our name of the record and its aliases, without namespaces. */
function namesOf(reader: avsc.Type): Set<string> {
  const { name = '', aliases = [] } = reader as { name?: string; aliases?: string[] };
  return new Set([name, ...aliases].map(unqualified));
}

function describe(writer: AvroSchema): string {
  const logical = 'logical' in writer ? writer.logical : undefined;
  return logical === undefined ? writer.kind : `${writer.kind} (${logical.slice(0, 60)})`;
}

function kindOf(reader: avsc.Type): string {
  const { types } = avsc;
  if (reader instanceof types.UnwrappedUnionType) return reader.types.map(kindOf).join(' or ');
  return reader.typeName;
}

function at({ path }: Place): string {
  return path === '' ? '' : `${path}: `;
}
