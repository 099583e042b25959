/**
 * Writes src/events/types.generated.ts from schemas/*.avsc: the schemas are the contract, the types follow.
 * `--check` writes nothing and fails when the file is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

interface Field {
  name: string;
  type: Schema;
  doc?: string;
}
type Schema =
  | string
  | Schema[]
  | { type: 'record'; name: string; doc?: string; fields: Field[] }
  | { type: 'enum'; name: string; symbols: string[] }
  | { type: 'array'; items: Schema }
  | { type: 'map'; values: Schema }
  | { type: 'long'; logicalType: string };

const PRIMITIVES: Record<string, string> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  bytes: 'Buffer',
  string: 'string',
};

/** The TypeScript expression for a schema; declarations of the named types inside it go to `out`. */
function typeOf(schema: Schema, out: string[]): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema;
  if (Array.isArray(schema)) return schema.map((branch) => typeOf(branch, out)).join(' | ');
  switch (schema.type) {
    case 'array':
      return `Array<${typeOf(schema.items, out)}>`;
    case 'map':
      return `Record<string, ${typeOf(schema.values, out)}>`;
    case 'enum':
      out.push(`export type ${schema.name} = ${schema.symbols.map((s) => `'${s}'`).join(' | ')};`);
      return schema.name;
    case 'record': {
      const fields = schema.fields.map((field) => {
        const doc = field.doc === undefined ? '' : `/** ${field.doc} */\n`;
        return `${doc}${field.name}: ${typeOf(field.type, out)};`;
      });
      const doc = schema.doc === undefined ? '' : `/** ${schema.doc} */\n`;
      out.push(`${doc}export interface ${schema.name} {\n${fields.join('\n')}\n}`);
      return schema.name;
    }
    default:
      return typeOf(schema.type, out);
  }
}

const root = new URL('..', import.meta.url);
const target = new URL('src/events/types.generated.ts', root);
const declarations: string[] = [];
for (const file of readdirSync(new URL('schemas/', root)).sort()) {
  const text = readFileSync(new URL(`schemas/${file}`, root), 'utf8');
  typeOf(JSON.parse(text) as Schema, declarations);
}
const source = await format(
  `// Generated from schemas/*.avsc by \`npm run generate\`. Do not edit.\n\n${declarations.join('\n\n')}\n`,
  { ...(await resolveConfig(target)), parser: 'typescript' },
);

if (!process.argv.includes('--check')) writeFileSync(target, source);
else if (readFileSync(target, 'utf8') !== source) {
  console.error('src/events/types.generated.ts is out of date: run `npm run generate`.');
  process.exitCode = 1;
}
