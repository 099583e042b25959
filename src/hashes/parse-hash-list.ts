import { AppError } from '../errors.ts';
import { parseCsvLine } from './csv-line.ts';
import { EntryFault } from './entry-fields.ts';
import type { ListEntry } from './hash-list.ts';
import { parseJsonEntry } from './json-entry.ts';
import { byHeader, byPlace, headerOf, type HashType, type LineReader } from './text-lines.ts';

/** What a list may hold. Each entry takes memory, and a list is read anew as a whole. */
export const MAX_ENTRIES = 1_000_000;

const MAX_FAULTS = 20;

/**
 * The entries of a list in text: JSON lines, or lines with or without a header, which docs/lists.md shows.
 * Throws AppError `list_invalid` with every fault and its line, at most 20 of them.
 *
 * @param name - where the text came from, for messages
 */
export function parseHashList(text: string, hashType: HashType, name: string): ListEntry[] {
  const entries: ListEntry[] = [];
  const faults: string[] = [];
  let readLine: LineReader | undefined;
  const read = (line: string): ListEntry | null => {
    if (line.startsWith('{')) return parseJsonEntry(line);
    const fields = parseCsvLine(line);
    const header = readLine === undefined ? headerOf(fields) : null;
    if (header === null) return (readLine ??= byPlace(hashType))(fields);
    readLine = () => null; // below a header that is at fault nothing means anything
    readLine = byHeader(header);
    return null;
  };
  let isBlank = true;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.trim();
    if (line === '') continue;
    isBlank = false;
    if (line.startsWith('#')) continue;
    try {
      const entry = read(line);
      if (entry !== null) entries.push(entry);
    } catch (error) {
      if (!(error instanceof EntryFault)) throw error;
      faults.push(`${name}:${index + 1}: ${error.message}`);
    }
  }
  // So looks a file that somebody is about to write; taken at its word it would let everything pass.
  if (isBlank) faults.push(`${name}: nothing is in it; for a list without entries write # none`);
  if (faults.length > 0) throw listInvalid(name, faults);
  return limited(entries, name);
}

/** `entries`, unless there are too many: then throws AppError `list_invalid`. */
export function limited<T extends readonly ListEntry[]>(entries: T, name: string): T {
  if (entries.length <= MAX_ENTRIES) return entries;
  const fault = `${name}: ${entries.length} entries, but a list holds at most ${MAX_ENTRIES}; share them out among several`;
  throw listInvalid(name, [fault]);
}

/** All faults of a list in one error, the first 20 by name. */
export function listInvalid(name: string, faults: readonly string[]): AppError {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  const more = faults.length > MAX_FAULTS ? [`and ${faults.length - MAX_FAULTS} more`] : [];
  const lines = [...faults.slice(0, MAX_FAULTS), ...more];
  return new AppError('list_invalid', `reading the list ${name}: ${count}:\n${lines.join('\n')}`);
}
