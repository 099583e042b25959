/** What records wait for. */
export interface Absence {
  dependency: string;
  waiting: number;
  /** How long it has been absent, in ms. */
  ms: number;
}

/** The most dependencies that are named: publishers name hosts, any number of them. */
const MAX_NAMED = 20;

/** Names those that most records wait for, and the number of the others. */
export function listed(absent: readonly Absence[], render: (each: Absence) => string): string[] {
  const named = absent
    .toSorted((a, b) => b.waiting - a.waiting)
    .slice(0, MAX_NAMED)
    .map(render);
  const others = absent.length - named.length;
  return others > 0 ? [...named, `and ${others} more`] : named;
}
