/** An input topic and its share of the machine. */
export interface Lane {
  topic: string;
  /** Its share against that of the other lanes; more than 0. */
  weight: number;
  /** Comes before every lane without priority, whatever their weights. */
  priority: boolean;
}

/** A lane as a configuration names it. */
export interface LaneSettings {
  topic: string;
  /** @default 1 */
  weight?: number | undefined;
  /** @default false */
  priority?: boolean | undefined;
}

/** The lanes of `topics.input`; a topic alone is one lane. */
export function lanesOf(input: string | readonly LaneSettings[]): Lane[] {
  const given = typeof input === 'string' ? [{ topic: input }] : input;
  return given.map(({ topic, weight = 1, priority = false }) => ({ topic, weight, priority }));
}
