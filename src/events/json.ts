import avsc from 'avsc';
import { fromBase64 } from './base64.ts';
import { isTimestamp } from './schemas.ts';

/** What is wrong at one place of a message. `path` is dotted: `image.bytes`. */
export interface Fault {
  path: string;
  problem: string;
}

/** ISO 8601 with a zone; without one the instant would depend on where Moderato runs. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * A message of `type` from parsed JSON: bytes from base64, timestamps from ISO 8601 or epoch ms, absent
 * fields from the schema's defaults; unknown fields are ignored, so that newer publishers are understood.
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
      if (Object.hasOwn(value, field.name)) {
        message[field.name] = fromJson(field.type, value[field.name], at, faults);
      } else {
        const absent: unknown = field.defaultValue();
        if (absent === undefined) faults.push({ path: at, problem: 'missing' });
        message[field.name] = absent;
      }
    }
    return message;
  }
  if (type instanceof types.MapType) {
    if (!isObject(value)) return wrong('expected an object');
    const entries = Object.entries(value).map(([key, item]) => {
      const name = key.toWellFormed();
      const at = `${path}.${name.slice(0, 60)}`;
      return [name, fromJson(type.valuesType as avsc.Type, item, at, faults)];
    });
    return Object.fromEntries(entries) as unknown;
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
    const instant = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(instant) ? wrong('expected ISO 8601 with a zone, or epoch ms') : instant;
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
