import {
  isAlias,
  isMap,
  isScalar,
  parseDocument,
  Scalar,
  type Document,
  type ToStringOptions,
  type YAMLMap,
} from 'yaml';

export interface YamlChange {
  path: readonly [section: string, key: string];
  value: number;
  /** One line, without the mark. */
  comment: string;
}

/** What a comment of ours begins with; the next time it is replaced. */
const MARK = 'tuned ';

/**
 * The YAML with the changes in it, each below a comment of its own. Everything else stays, comments and order
 * included, but for the spaces inside lines. The text must be a configuration that can be read.
 */
export function writeSettings(text: string, changes: readonly YamlChange[]): string {
  if (changes.length === 0) return text;
  const document = parseDocument(text, { version: '1.2' });
  for (const { path, value, comment } of changes) {
    const section = ownSection(document, path[0]);
    const old = section.get(path[1], true);
    // In place, so that a comment behind the value stays.
    if (isScalar(old)) old.value = value;
    else section.set(path[1], value);
    const key = keyOf(section, path[1]);
    // What stands above the first key is read as being about the whole map.
    const below = section.items[0]?.key === key ? section : key;
    const theirs = (below.commentBefore ?? '').split('\n').filter((line) => !isOurs(line));
    below.commentBefore = [...theirs, ` ${MARK}${comment}`]
      .filter((line) => line !== '')
      .join('\n');
  }
  return document.toString({ lineWidth: 0, ...styleOf(text) });
}

/** The map of a section, made where there is none; where it is an alias, a copy: the other place is not meant. */
function ownSection(document: Document, name: string): YAMLMap {
  const node = document.get(name, true);
  if (isMap(node)) {
    node.flow = false; // there is no good place for a comment
    return node;
  }
  const section = isAlias(node)
    ? (node.resolve(document)?.clone() as YAMLMap)
    : (document.createNode({}) as YAMLMap);
  delete section.anchor;
  section.flow = false;
  document.set(name, section);
  if (node === undefined) keyOf(document.contents as YAMLMap, name).spaceBefore = true;
  return section;
}

function keyOf(map: YAMLMap, name: string): Scalar {
  const pair = map.items.find(({ key }) => (isScalar(key) ? key.value : key) === name);
  if (pair === undefined) throw new RangeError(`no key ${name}`);
  if (!isScalar(pair.key)) pair.key = new Scalar(name);
  return pair.key as Scalar;
}

/** How the text is written, as far as one style can say it. */
function styleOf(text: string): ToStringOptions {
  return {
    indent: /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2,
    indentSeq: !/^( *)[^\s#].*:\n\1- /m.test(text),
    flowCollectionPadding: !/[[{][^\s\]}]/.test(text),
  };
}

function isOurs(line: string): boolean {
  return line.trimStart().startsWith(MARK);
}
