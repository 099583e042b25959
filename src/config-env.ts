import { z } from 'zod';
import { nearestName } from './did-you-mean.ts';

export type Environment = Record<string, string | undefined>;

interface Leaf {
  path: string[];
  types: Set<string>;
}

interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  const?: unknown;
}

const PREFIX = 'MODERATO_';

export interface EnvOverlay {
  /** Variables that name no configuration key, or hold no value of its type. */
  faults: string[];
  /** A copy of the parsed file with the variables' values in place. */
  apply(value: unknown): unknown;
}

/**
 * Every leaf of a configuration schema can be set by a variable: `kafka.groupId` by `MODERATO_KAFKA_GROUP_ID`.
 * Lists are comma separated; a list of objects cannot be set. `reserved` are the variables with a meaning of their own.
 */
export function overlayEnv(
  schema: z.ZodType,
  env: Environment,
  reserved: readonly string[],
): EnvOverlay {
  const leaves = new Map(
    leavesOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema).map(
      (leaf) => [variableOf(leaf.path), leaf],
    ),
  );
  const faults: string[] = [];
  const values: Array<{ path: string[]; value: unknown }> = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined || reserved.includes(name)) continue;
    const leaf = leaves.get(name);
    if (leaf === undefined) faults.push(unknownVariable(name, [...leaves.keys(), ...reserved]));
    else values.push({ path: leaf.path, value: parse(text, leaf.types) });
  }
  return {
    faults,
    apply: (value) => values.reduce((root, set) => put(root, set.path, set.value), value),
  };
}

function unknownVariable(name: string, known: readonly string[]): string {
  const bare = known.map((each) => each.slice(PREFIX.length));
  const nearest = nearestName(name.slice(PREFIX.length), bare);
  const hint = nearest === undefined ? '' : `; did you mean ${PREFIX}${nearest}?`;
  return `${name}: no such configuration key${hint}`;
}

/** `['kafka', 'groupId']` → `MODERATO_KAFKA_GROUP_ID`. */
export function variableOf(path: readonly string[]): string {
  return (
    PREFIX +
    path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')
  );
}

function leavesOf(schema: JsonSchema, path: string[] = []): Leaf[] {
  const branches = schema.anyOf ?? [schema];
  const nested = branches.flatMap((branch) =>
    Object.entries(branch.properties ?? {}).flatMap(([key, child]) =>
      leavesOf(child, [...path, key]),
    ),
  );
  const scalars = branches.filter(
    ({ properties, items }) => properties === undefined && items?.properties === undefined,
  );
  const types = scalars.map((branch) => branch.type ?? typeof branch.const);
  return scalars.length === 0 ? nested : [...nested, { path, types: new Set(types) }];
}

function parse(text: string, types: ReadonlySet<string>): unknown {
  if (types.has('array')) return text.split(',').map((item) => item.trim());
  if (types.has('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  if ((types.has('number') || types.has('integer')) && /^-?\d+(\.\d+)?$/.test(text))
    return Number(text);
  return text;
}

function put(root: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const object = typeof root === 'object' && root !== null ? (root as Record<string, unknown>) : {};
  return { ...object, [key]: put(object[key], rest, value) };
}
