import type { ListEntry } from './hash-list.ts';
import { LEAST_QUALITY } from './pdq.ts';

/** What is wrong with one line or one record of a list. Its reader says where, and gathers them. */
export class EntryFault extends Error {}

/** As found in a list, nothing checked; empty text is as good as nothing. */
export interface EntryFields {
  pdq?: string | undefined;
  sha256?: string | undefined;
  quality?: string | undefined;
  id?: string | undefined;
  note?: string | undefined;
}

/** Null: nothing is left to match by, because the PDQ hash is of too poor a quality. Throws EntryFault. */
export function entryOf(fields: EntryFields): ListEntry | null {
  const { pdq = '', sha256 = '', quality = '', id = '', note = '' } = fields;
  if (pdq === '' && sha256 === '') throw new EntryFault('no hash');
  if (quality !== '' && !isQuality(quality)) {
    throw new EntryFault(`quality ${quote(quality)} is not a whole number from 0 to 100`);
  }
  const picture = pdq === '' ? '' : hashOf(pdq);
  const file = sha256 === '' ? '' : hashOf(sha256);
  const usable = picture !== '' && (quality === '' || Number(quality) >= LEAST_QUALITY);
  if (!usable && file === '') return null;
  return {
    ...(usable && { pdq: picture }),
    ...(file !== '' && { sha256: file }),
    ...(id !== '' && { id }),
    ...(note !== '' && { note }),
  };
}

/** 64 hexadecimal digits, in lower case. Throws EntryFault. */
export function hashOf(text: string): string {
  if (!isHash(text)) {
    throw new EntryFault(`${quote(text)} is not a hash of 64 hexadecimal digits`);
  }
  return text.toLowerCase();
}

export function isHash(text: string): boolean {
  return /^[0-9a-fA-F]{64}$/.test(text);
}

export function isQuality(text: string): boolean {
  return /^\d{1,3}$/.test(text) && Number(text) <= 100;
}

/** A text of somebody else's for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
