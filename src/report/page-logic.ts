/**
 * What the report's controls do, without the page: the functions here are written into it as they are
 * (`String(matches)`), so they may use nothing but their arguments.
 */

/** What the page knows of an entry; its place in the list is that of its card. */
export interface PageEntry {
  file: string;
  outcome: string;
  /** Everything that can be searched for, in lower case. */
  search: string;
  /** Place in the default order. */
  rank: number;
  scores: Record<string, { score: number; band: string }>;
}

export interface Filters {
  /** Empty: every outcome. */
  outcomes: string[];
  /** Empty: any. */
  policy: string;
  /** Empty: any; `fired`: review or block. */
  band: string;
  /** Words that must all be found. */
  text: string;
}

/** Whether an entry is shown. A band is looked for in the chosen policy only, or in any when none is chosen. */
export function matches(entry: PageEntry, filters: Filters): boolean {
  if (filters.outcomes.length > 0 && !filters.outcomes.includes(entry.outcome)) return false;
  const words = filters.text.toLowerCase().split(/\s+/);
  if (!words.every((word) => entry.search.includes(word))) return false;
  if (filters.policy === '' && filters.band === '') return true;
  return Object.keys(entry.scores).some((id) => {
    if (filters.policy !== '' && filters.policy !== id) return false;
    const band = entry.scores[id]?.band;
    if (filters.band === '') return true;
    return filters.band === 'fired' ? band !== 'allow' : band === filters.band;
  });
}

/** Order of two entries: `severity`, `file`, or `score:` and the id of a policy (highest first, unscored last). */
export function compare(a: PageEntry, b: PageEntry, by: string): number {
  if (by === 'file') return a.file < b.file ? -1 : Number(a.file > b.file);
  if (by.startsWith('score:')) {
    const id = by.slice('score:'.length);
    const difference = (b.scores[id]?.score ?? -1) - (a.scores[id]?.score ?? -1);
    if (difference !== 0) return difference;
  }
  return a.rank - b.rank;
}
