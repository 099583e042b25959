import type { ImageFormat } from '../../src/images/sniff-format.ts';

export type Mutated = 'often' | 'seldom' | 'never';

/** A file that the cases are made of. */
export interface Entry {
  /** Unique in the corpus. */
  name: string;
  bytes: Buffer;
  /** What its first bytes say that it is; null for what is not decoded. */
  format: ImageFormat | null;
  /** How often it is changed into other cases: `seldom` where it takes a decoder long. @default often */
  mutated?: Mutated;
}

/** The entries of one format from their names and bytes. */
export function entriesOf(
  format: ImageFormat | null,
  files: Record<string, Buffer>,
  mutated: Mutated = 'often',
): Entry[] {
  return Object.entries(files).map(([name, bytes]) => ({ name, bytes, format, mutated }));
}
