import { Document, isAlias, isMap, isScalar, parseDocument, type Node, type YAMLMap } from 'yaml';

export interface YamlChange {
  path: readonly [section: string, key: string];
  value: number;
  /** One line, without the mark. */
  comment: string;
}

/** What a comment of ours begins with; the next time it is replaced. */
const MARK = '# tuned ';

/**
 * The YAML with the changes in it, each below a comment of its own. Not a character is changed beside them, but that
 * a section of one line is opened. The text must be a configuration that can be read.
 */
export function writeSettings(text: string, changes: readonly YamlChange[]): string {
  return changes.reduce(withChange, text); // parsed anew for each: the places of the text have moved
}

function withChange(text: string, change: YamlChange): string {
  const document = parseDocument(text, { version: '1.2' });
  const [name, key] = change.path;
  const root = mapOf(document.contents);
  if (root.flow) return withChange(opened(text, root, 0, root), change);
  const section = entryOf(root, name);
  if (section === null) {
    const lines = ['', `${name}:`, `  ${MARK}${change.comment}`, `  ${key}: ${change.value}`, ''];
    return text.trimEnd() + '\n' + lines.join('\n');
  }
  const { value: node } = section;
  if (isAlias(node) || (isMap(node) && node.flow)) {
    // Of an alias a copy: the other place is not meant.
    const own = mapOf((isAlias(node) ? node.resolve(document) : node)?.clone());
    if (!own.has(key)) own.set(key, change.value);
    return withChange(opened(text, node, section.keyEnd, own), change);
  }
  const map = mapOf(node);
  const old = entryOf(map, key);
  if (old === null) {
    const below = lineAfter(text, section.keyEnd);
    const line = `${indentOf(text, map)}${key}: ${change.value}\n`;
    return commented(spliced(text, [below, below], line), below, change.comment);
  }
  return commented(
    spliced(text, rangeOf(old.value), String(change.value)),
    lineOf(text, old.keyStart),
    change.comment,
  );
}

/** The text with `map`, in lines of its own, in the place of `node`, which follows a key that ends at `keyEnd`. */
function opened(text: string, node: Node, keyEnd: number, map: YAMLMap): string {
  const bare = { anchor: undefined, comment: undefined, commentBefore: undefined }; // the text has them
  Object.assign(map, bare, { flow: false });
  const block = new Document(map).toString({ lineWidth: 0 }).trimEnd();
  const [from, to] = rangeOf(node);
  if (keyEnd === 0) return spliced(text, [from, to], block);
  const colon = text.slice(keyEnd, from).trimEnd(); // and an anchor, where there is one
  return spliced(text, [keyEnd, to], `${colon}\n${block.replaceAll(/^(?=.)/gm, '  ')}`);
}

/** With a comment above the line that begins at `at`, in place of one of ours. */
function commented(text: string, at: number, comment: string): string {
  const above = /(?<=^|\n)(?:[ \t]*#.*\n)*$/.exec(text.slice(0, at))?.[0] ?? '';
  const theirs = above.split(/(?<=\n)/).filter((line) => !line.trimStart().startsWith(MARK));
  const indent = /^ */.exec(text.slice(at))?.[0] ?? '';
  const lines = `${theirs.join('')}${indent}${MARK}${comment}\n`;
  return spliced(text, [at - above.length, at], lines);
}

interface Entry {
  keyStart: number;
  keyEnd: number;
  value: Node;
}

function entryOf(map: YAMLMap, name: string): Entry | null {
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === name);
  if (pair === undefined) return null;
  const [keyStart, keyEnd] = rangeOf(pair.key as Node);
  return { keyStart, keyEnd, value: pair.value as Node };
}

function indentOf(text: string, map: YAMLMap): string {
  const [first] = rangeOf(map.items[0]?.key as Node);
  return text.slice(lineOf(text, first), first);
}

function mapOf(node: unknown): YAMLMap {
  if (!isMap(node)) throw new RangeError('a configuration and its sections are maps');
  return node;
}

function rangeOf({ range }: Node): [from: number, to: number] {
  if (!range) throw new RangeError('what was not parsed has no place in a text');
  return [range[0], range[1]];
}

/** Where the line begins that holds `at`. */
function lineOf(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function lineAfter(text: string, at: number): number {
  return text.indexOf('\n', at) + 1;
}

function spliced(text: string, [from, to]: [number, number], by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}
