/** The questions that the bench answers, and the rows that answer each. */
export const GROUPS = {
  a: {
    title: 'end to end, against what codec and runtime allow',
    rows: [
      'service',
      'avro',
      'exactly-once',
      'repeated',
      'pipeline',
      'inspector',
      'known',
      'bare',
      'bare-per-core',
    ],
  },
  b: { title: 'against other consumers', rows: ['service', 'naive', 'python'] },
  c: {
    title: 'JPEG to pixels',
    rows: ['jpeg', 'jpeg-sharp', 'jpeg-codec', 'pool', 'in-process', 'loop'],
  },
  d: {
    title: 'what an event costs beside its image',
    rows: ['small', 'small-exactly-once', 'zero-cost', 'kafkajs-loop'],
  },
  e: { title: 'scores against inference', rows: ['scoring'] },
  f: { title: 'latency by load', rows: ['latency'] },
  g: { title: 'memory, by time and by backlog', rows: ['memory', 'backlog'] },
  h: {
    title: 'growth, by events and by partitions',
    rows: ['events-10k', 'events-100k', 'partitions-2', 'partitions-16'],
  },
} as const;

export type Group = keyof typeof GROUPS;
export type RowName = (typeof GROUPS)[Group]['rows'][number];

export const GROUP_NAMES = Object.keys(GROUPS) as Group[];
export const ROW_NAMES: readonly RowName[] = [
  ...new Set(GROUP_NAMES.flatMap((group): readonly RowName[] => GROUPS[group].rows)),
];

/** Those that are run once, after the rounds of the others. */
export type StudyName = 'scoring' | 'latency' | 'memory' | 'backlog';
export type TrialName = Exclude<RowName, StudyName>;
