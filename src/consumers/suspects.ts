/** A record that was in flight when the process died of an error that nothing explains. */
export interface Suspect {
  offset: number;
  /** Deaths while it was in flight. */
  deaths: number;
  /** Deaths while it was the only record in flight. */
  alone: number;
}

/** The suspects of one partition and what the last death was, as kept in the commit's metadata. */
export interface Suspicion {
  suspects: Suspect[];
  fault: string;
}

/** Below the broker's default for `offset.metadata.max.bytes`, 4,096. */
const MAX_NOTE_BYTES = 3_500;
const MAX_FAULT_CHARS = 400;
const VERSION = 'moderato-suspects-1';

/** The note for the commit's metadata; empty where there is no suspect. Leaves out the last suspects of too many. */
export function formatNote({ suspects, fault }: Suspicion): string {
  if (suspects.length === 0) return '';
  const text = fault.slice(0, MAX_FAULT_CHARS).toWellFormed();
  const listed = suspects.map(({ offset, deaths, alone }) => [offset, deaths, alone]);
  for (;;) {
    const note = JSON.stringify({ v: VERSION, s: listed, f: text });
    if (Buffer.byteLength(note) <= MAX_NOTE_BYTES || listed.length <= 1) return note;
    listed.pop();
  }
}

/** What a commit's metadata says; no suspects where it was written by other software. */
export function parseNote(metadata: string): Suspicion {
  const none: Suspicion = { suspects: [], fault: '' };
  if (!metadata.includes(VERSION)) return none;
  try {
    const note = JSON.parse(metadata) as { v?: unknown; s?: unknown; f?: unknown };
    if (note.v !== VERSION || !Array.isArray(note.s)) return none;
    const suspects = note.s.flatMap((entry: unknown) => {
      if (!Array.isArray(entry) || !entry.every((part) => Number.isSafeInteger(part))) return [];
      const [offset = -1, deaths = 0, alone = 0] = entry as number[];
      return offset < 0 ? [] : [{ offset, deaths, alone }];
    });
    return { suspects, fault: typeof note.f === 'string' ? note.f : '' };
  } catch {
    return none;
  }
}

/** Adds one more death at each of `offsets`. */
export function accuse(
  { suspects }: Suspicion,
  offsets: readonly number[],
  { isAlone, fault }: { isAlone: boolean; fault: string },
): Suspicion {
  const known = new Map(suspects.map((suspect) => [suspect.offset, suspect]));
  for (const offset of offsets) {
    const { deaths, alone } = known.get(offset) ?? { deaths: 0, alone: 0 };
    known.set(offset, { offset, deaths: deaths + 1, alone: alone + (isAlone ? 1 : 0) });
  }
  // Those with most deaths first: a note that is too long drops the others.
  const sorted = [...known.values()].toSorted((a, b) => b.deaths - a.deaths);
  return { suspects: sorted, fault };
}
