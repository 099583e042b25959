import { EntryFault, entryOf, hashOf, isHash, isQuality, quote } from './entry-fields.ts';
import type { ListEntry } from './hash-list.ts';

/**
 * What a hash is, where its line does not say it: a PDQ hash and a SHA-256 look alike. `auto` is for lists whose
 * lines or header say it.
 */
export type HashType = 'pdq' | 'sha256' | 'auto';

/** Gives the fields of a line their meaning. Null: the entry is not to match. Throws EntryFault. */
export type LineReader = (fields: readonly string[]) => ListEntry | null;

const OURS = ['pdq', 'sha256', 'quality', 'id', 'note'] as const;
/** As `threatexchange dataset --print-signals --csv` writes it. */
const THREATEXCHANGE = ['signal_type', 'signal_str', 'collab', 'category', 'tags'];

/** The names of the columns, where the line is a header: it names one that holds hashes. */
export function headerOf(fields: readonly string[]): string[] | null {
  const names = fields.map((field) => field.trim().toLowerCase());
  return names.some((name) => ['pdq', 'sha256', 'signal_str'].includes(name)) ? names : null;
}

/** Reads the lines below a header. Throws EntryFault for a column that nobody knows. */
export function byHeader(names: readonly string[]): LineReader {
  const known: readonly string[] = names.includes('signal_str') ? THREATEXCHANGE : OURS;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new EntryFault(`columns ${unknown.map(quote).join(', ')}: expected ${known.join(', ')}`);
  }
  return (fields) => {
    if (fields.length !== names.length) {
      throw new EntryFault(`${fields.length} columns, but the header has ${names.length}`);
    }
    const row = Object.fromEntries(names.map((name, i) => [name, (fields[i] ?? '').trim()]));
    if (known === OURS) return entryOf(row);
    // A false alarm or an example, as the members of the exchange agree.
    if (row['category'] === 'NEGATIVE_CLASS') return null;
    return ofSignal(row['signal_type'] ?? '', row['signal_str'] ?? '');
  };
}

/** Reads lines without a header: `hash[,quality][,id]`, `hash id`, `pdq hash`, `hash=…,quality=…,filename=…`. */
export function byPlace(hashType: HashType): LineReader {
  return ([first = '', ...rest]) => {
    const [, word = '', behind = ''] =
      /^(\w+)\s+\*?(.+)$/.exec([first, ...rest].join(',').trim()) ?? [];
    // As sha256sum writes it.
    if (isHash(word)) return ofType(hashType, word, { quality: '', id: behind });
    // As a `local_file` of python-threatexchange has it.
    if (word !== '') return ofSignal(word, behind);
    // As `pdq-photo-hasher --details` writes it.
    if (first.startsWith('hash=')) return ofPairs([first, ...rest], hashType);
    const [second = '', third = ''] = rest.map((field) => field.trim());
    const [quality, id] = isQuality(second) ? [second, third] : ['', second];
    return ofType(hashType, first.trim(), { quality, id });
  };
}

function ofPairs(fields: readonly string[], hashType: HashType): ListEntry | null {
  const pairs = new Map(
    fields.map((field) => {
      const [, name = '', value = ''] = /^([^=]*)=?(.*)$/.exec(field.trim()) ?? [];
      return [name, value];
    }),
  );
  const { quality, id } = { quality: pairs.get('quality') ?? '', id: pairs.get('filename') ?? '' };
  return ofType(hashType, pairs.get('hash') ?? '', { quality, id });
}

function ofType(
  hashType: HashType,
  hash: string,
  rest: { quality: string; id: string },
): ListEntry | null {
  if (hashType !== 'auto') return entryOf({ [hashType]: hash, ...rest });
  hashOf(hash);
  throw new EntryFault(
    'nothing says whether this is a PDQ hash or a SHA-256: set hashType, or begin the list with a header such as pdq,id',
  );
}

/** By the names of ThreatExchange's signal types. One of other media is passed over. */
function ofSignal(type: string, signal: string): ListEntry | null {
  switch (type.toLowerCase()) {
    case 'pdq':
    case 'hash_pdq':
      return entryOf({ pdq: signal });
    case 'sha256':
    case 'hash_sha256':
      return entryOf({ sha256: signal });
    default:
      if (!isHash(signal) || /video/i.test(type)) return null;
      throw new EntryFault(`a hash of type ${quote(type)}: expected pdq or sha256`);
  }
}
