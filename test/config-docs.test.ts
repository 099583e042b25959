import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { configSchema } from '../src/config-schema.ts';
import { packageFile } from '../src/package-files.ts';

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  default?: unknown;
}

/** Every key below `schema`, with its default where it has one; `lists[].id` of each item of a list. */
function keysOf(schema: JsonSchema, path: string[] = []): Array<{ key: string; preset: unknown }> {
  const branches = [schema, ...(schema.anyOf ?? [])];
  const itemPath = [...path.slice(0, -1), `${path.at(-1) ?? ''}[]`];
  const children = branches.flatMap(({ properties = {}, items }) => [
    ...Object.entries(properties).flatMap(([key, child]) => keysOf(child, [...path, key])),
    ...(items?.properties ? keysOf(items, itemPath) : []),
  ]);
  return children.length > 0 ? children : [{ key: path.join('.'), preset: schema.default }];
}

const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
const text = readFileSync(packageFile('docs/configuration.md'), 'utf8');

describe('docs/configuration.md', () => {
  it.each(keysOf(schema).filter(({ key }) => !key.startsWith('topics.routes')))(
    'documents $key and its default',
    ({ key, preset }) => {
      const row = text
        .split('\n')
        .find((line) => line.startsWith('|') && line.includes(`\`${key}\``));
      expect(row).toBeDefined();
      if (['string', 'number'].includes(typeof preset)) expect(row).toContain(String(preset));
    },
  );
});
