import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { z } from 'zod';
import { checkSchema, type SchemaFault } from './schema-faults.ts';

/** One thing wrong with a YAML file, and where. */
export interface YamlFault {
  /** `policies[2].thresholds.block`; empty when the fault is the file's as a whole. */
  path: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  message: string;
}

export type YamlResult<T> = { ok: true; value: T } | { ok: false; faults: YamlFault[] };

/** Aliases may repeat what they name this many times in all, so that a small file stays a small value. */
const MAX_ALIAS_COUNT = 10_000;

/**
 * Parses YAML 1.2 (`off` and `no` are text, not false) and validates it. Every fault is reported at once,
 * in the order of the file; a key given twice is a fault.
 */
export function readYaml<T>(schema: z.ZodType<T>, text: string, fileName: string): YamlResult<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
  });
  const at = (offset: number, path: string, message: string): YamlFault => {
    const { line, col } = lines.linePos(offset);
    return { path, line: Math.max(line, 1), column: Math.max(col, 1), message };
  };

  const complaints = [...document.errors, ...document.warnings];
  const faults = complaints.map((error) => at(error.pos[0], '', syntaxMessage(error, text)));
  // What a broken file means is anybody's guess; one with a key given twice can still be checked.
  if (complaints.some((error) => error.code !== 'DUPLICATE_KEY')) {
    return { ok: false, faults: sorted(faults) };
  }

  let input: unknown;
  try {
    input = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    faults.push(at(0, '', `too many aliases: write the values out`));
    return { ok: false, faults };
  }
  if (input === null) return { ok: false, faults: [at(0, '', `${fileName} is empty`)] };

  const checked = checkSchema(schema, input);
  if (!checked.ok) {
    for (const fault of checked.faults) {
      faults.push(at(offsetOf(document, fault), pathText(fault.path), fault.message));
    }
  }
  return checked.ok && faults.length === 0
    ? { ok: true, value: checked.value }
    : { ok: false, faults: sorted(faults) };
}

/** One line for each fault: `moderato.yaml:3:5: kafka.brokers: missing; expected a list`. */
export function formatFaults(faults: readonly YamlFault[], fileName: string): string[] {
  return faults.map(({ line, column, path, message }) =>
    [`${fileName}:${line}:${column}`, path, message].filter((part) => part !== '').join(': '),
  );
}

function sorted(faults: readonly YamlFault[]): YamlFault[] {
  return faults.toSorted(
    (a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : 1),
  );
}

function syntaxMessage(error: YAMLError, text: string): string {
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0] ?? '';
      return `the key ${key} is given twice`;
    }
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; a file holds one';
    case 'NON_STRING_KEY':
      return 'a key must be text';
    default:
      return error.message;
  }
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

/**
 * The offset of the value at the fault's path, or of its key. Where the path leaves the document (a key is
 * missing), the place of the key that should have held it.
 */
function offsetOf(document: Document, { path, about }: SchemaFault): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyText(key) === String(step));
      if (!pair) return offset;
      const last = depth === path.length - 1;
      const key = startOf(pair.key) ?? offset;
      const next: unknown = pair.value;
      const nested = isMap(next) || isSeq(next);
      // A block's own start is its first entry; its key is what somebody looks for.
      offset = (last && about === 'key') || nested ? key : (startOf(next) ?? key);
      node = next;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function keyText(key: unknown): string {
  return isNode(key) ? String(key.toJSON()) : String(key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
