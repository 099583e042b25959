import { createHash } from 'node:crypto';
import type { ListKind, ListMatch } from '../events/types.generated.ts';
import { HashIndex } from './hash-index.ts';
import { LEAST_QUALITY, pdqHex, type PdqHash } from './pdq.ts';

export interface ListSpec {
  id: string;
  /** `block` and `allow` decide; `negative` keeps policies from firing on pictures known to mislead them. */
  kind: ListKind;
  /** A `shadow` list is matched and reported, and changes no outcome. */
  mode: 'enforce' | 'shadow';
  /** The most bits between two PDQ hashes that match, 0 to 63. */
  distance: number;
  /** Of a negative list: the policies that it keeps from firing; null for all of them. */
  policies: readonly string[] | null;
}

/** One known picture. It matches by whichever of its hashes it has, at least one. */
export interface ListEntry {
  /** 64 lower-case hexadecimal digits. */
  pdq?: string;
  /** Of the encoded file, 64 lower-case hexadecimal digits. */
  sha256?: string;
  /** What a verdict names the entry by; otherwise its hash. */
  id?: string;
  /** For people; nothing reads it. */
  note?: string;
}

/** What is known of an image. */
export interface Fingerprint {
  /** Of the encoded file, in lower-case hex. */
  sha256: string;
  /** Null where it was not computed. */
  pdq: PdqHash | null;
}

/** A list as it is matched: immutable, and the same whatever the order that its entries came in. */
export class HashList {
  readonly spec: ListSpec;
  /** Different entries. */
  readonly size: number;
  /** SHA-256 of all that a match depends on, in hex. */
  readonly version: string;
  /** What a match calls an entry, by SHA-256. */
  readonly #files = new Map<string, string>();
  readonly #index: HashIndex;
  /** What a match calls an entry, by its place in the index; absent where that is its PDQ hash. */
  readonly #names = new Map<number, string>();

  constructor(spec: ListSpec, entries: Iterable<ListEntry>) {
    this.spec = spec;
    const forms = canonicalForms(entries);
    this.size = forms.length;
    this.version = versionOf(spec, forms);
    const hashes: string[] = [];
    for (const { pdq, sha256, id } of forms.map(parseForm)) {
      if (sha256 !== '' && !this.#files.has(sha256)) this.#files.set(sha256, id || sha256);
      if (pdq === '') continue;
      if (id !== '') this.#names.set(hashes.length, id);
      hashes.push(pdq);
    }
    this.#index = new HashIndex(Buffer.from(hashes.join(''), 'hex'));
  }

  get holdsPdq(): boolean {
    return this.#index.size > 0;
  }

  /** The strongest match: the very file, or else the nearest picture; among equals always the same entry. */
  match({ sha256, pdq }: Fingerprint): ListMatch | null {
    const { id: list, kind, mode, distance: reach } = this.spec;
    const policies = this.spec.policies && [...this.spec.policies];
    const file = this.#files.get(sha256);
    if (file !== undefined) {
      return { list, kind, mode, entry: file, by: 'sha256', distance: 0, policies };
    }
    if (pdq === null || pdq.quality < LEAST_QUALITY) return null;
    const near = this.#index.nearest(pdq.hash, reach);
    if (near === null) return null;
    const entry = this.#names.get(near.index) ?? pdqHex(this.#index.hashAt(near.index));
    return { list, kind, mode, entry, by: 'pdq', distance: near.distance, policies };
  }
}

const ABSENT = '-';

/** Each different entry in one spelling, sorted: hashes are of one length and ids come last. */
function canonicalForms(entries: Iterable<ListEntry>): string[] {
  // Not localeCompare: the order must be the same everywhere.
  const forms = Array.from(entries, formOf).sort();
  return forms.filter((form, i) => form !== forms[i - 1]);
}

function formOf({ pdq = ABSENT, sha256 = ABSENT, id = '' }: ListEntry): string {
  return `${pdq} ${sha256} ${id}`;
}

function parseForm(form: string): { pdq: string; sha256: string; id: string } {
  const [pdq = '', sha256 = ''] = form.split(' ', 2);
  const id = form.slice(pdq.length + sha256.length + 2);
  return { pdq: pdq === ABSENT ? '' : pdq, sha256: sha256 === ABSENT ? '' : sha256, id };
}

function versionOf(spec: ListSpec, forms: readonly string[]): string {
  const { id, kind, mode, distance, policies } = spec;
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify({ id, kind, mode, distance, policies: policies && [...policies].sort() }),
  );
  // With its length before it, no form can be taken for two.
  for (const form of forms) hash.update(`\n${form.length} ${form}`);
  return hash.digest('hex');
}
