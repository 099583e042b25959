import avsc from 'avsc';
import { fromBase64 } from './base64.ts';
import type { Fault } from './faults.ts';
import { isTimeInRange, parseInstant, TIME_RANGE } from './instant.ts';
import { defaultOf, isTimestamp } from './schemas.ts';

/**
 * A message of `type` from parsed JSON: bytes from base64, timestamps from ISO 8601 or epoch ms, absent
 * fields from the schema's defaults; fields may have the names that they had before (`aliases`); unknown fields are
 * ignored, so that newer publishers are understood.
 * What does not fit goes to `faults` and is undefined in the result.
 */
export function fromJson(type: avsc.Type, value: unknown, path: string, faults: Fault[]): unknown {
  const { types } = avsc;
  const wrong = (problem: string): unknown => {
    faults.push({ path, problem });
    return undefined;
  };

  if (type instanceof types.UnwrappedUnionType) {
    const branch = type.types.find(({ typeName }) => typeName !== 'null');
    return value === null || !branch ? null : fromJson(branch, value, path, faults);
  }
  if (type instanceof types.RecordType) {
    if (!isObject(value)) return wrong('expected an object');
    const message: Record<string, unknown> = {};
    for (const field of type.fields) {
      const at = path === '' ? field.name : `${path}.${field.name}`;
      const name = [field.name, ...field.aliases].find((each) => Object.hasOwn(value, each));
      const given = name === undefined ? undefined : value[name];
      // A null where there is none in our schema counts as left out, as publishers with nullable fields mean it.
      const absent: unknown = given === undefined || given === null ? defaultOf(field) : null;
      if (given === undefined && absent === undefined) {
        faults.push({ path: at, problem: 'missing' });
      }
      const isAbsent = given === undefined || (given === null && absent !== undefined);
      message[field.name] = isAbsent ? absent : fromJson(field.type, given, at, faults);
    }
    return message;
  }
  if (type instanceof types.MapType) {
    if (!isObject(value)) return wrong('expected an object');
    // Keys are a stranger's: `__proto__` is one like any other.
    const entries = Object.create(null) as Record<string, unknown>;
    for (const [key, item] of Object.entries(value)) {
      const name = key.toWellFormed();
      const at = `${path}.${name.slice(0, 60)}`;
      entries[name] = fromJson(type.valuesType as avsc.Type, item, at, faults);
    }
    return entries;
  }
  if (type instanceof types.ArrayType) {
    if (!Array.isArray(value)) return wrong('expected an array');
    return value.map((item, index) => fromJson(type.itemsType, item, `${path}.${index}`, faults));
  }
  if (type instanceof types.EnumType) {
    if (typeof value === 'string' && type.symbols.includes(value)) return value;
    return wrong(`expected one of ${type.symbols.join(', ')}`);
  }
  if (isTimestamp(type) && typeof value === 'string') {
    return parseInstant(value) ?? wrong('expected ISO 8601 with a zone, or epoch ms');
  }
  if (isTimestamp(type) && type.isValid(value) && !isTimeInRange(Number(value))) {
    return wrong(TIME_RANGE);
  }
  return scalarFromJson(type, value, wrong);
}

function scalarFromJson(type: avsc.Type, value: unknown, wrong: (problem: string) => unknown) {
  switch (type.typeName) {
    case 'string':
      // A lone surrogate has no UTF-8: replaced here, so that the string is the same in every encoding.
      return typeof value === 'string' ? value.toWellFormed() : wrong('expected a string');
    case 'bytes':
      if (Buffer.isBuffer(value)) return value; // see json-bytes.ts
      if (typeof value !== 'string') return wrong('expected base64');
      return fromBase64(value) ?? wrong('not valid base64');
    case 'boolean':
      return typeof value === 'boolean' ? value : wrong('expected true or false');
    default:
      return type.isValid(value) && Number.isFinite(value)
        ? value
        : wrong(`expected ${type.typeName}`);
  }
}

/**
 * A valid message of `type` as JSON: bytes in base64, only the contract's fields. `exact` says that it has no others.
 */
export function toJsonText(type: avsc.Type, message: object, exact: boolean): string {
  return JSON.stringify(exact && !holdsBytes(type) ? message : toJson(type, message));
}

const byteHolders = new WeakMap<avsc.Type, boolean>();

function holdsBytes(type: avsc.Type): boolean {
  const holds =
    byteHolders.get(type) ?? (type.typeName === 'bytes' || partsOf(type).some(holdsBytes));
  byteHolders.set(type, holds);
  return holds;
}

function partsOf(type: avsc.Type): readonly avsc.Type[] {
  const { types } = avsc;
  if (type instanceof types.UnwrappedUnionType) return type.types;
  if (type instanceof types.RecordType) return type.fields.map((field) => field.type);
  if (type instanceof types.ArrayType) return [type.itemsType];
  if (type instanceof types.MapType) return [type.valuesType as avsc.Type];
  return [];
}

function toJson(type: avsc.Type, value: unknown): unknown {
  const { types } = avsc;
  if (value === null) return null;
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (type instanceof types.UnwrappedUnionType) {
    const branch = type.types.find(({ typeName }) => typeName !== 'null');
    return branch ? toJson(branch, value) : null;
  }
  if (type instanceof types.RecordType && isObject(value)) {
    return Object.fromEntries(
      type.fields.map(({ name, type: inner }) => [name, toJson(inner, value[name])]),
    );
  }
  if (type instanceof types.ArrayType && Array.isArray(value)) {
    return value.map((item) => toJson(type.itemsType, item));
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
