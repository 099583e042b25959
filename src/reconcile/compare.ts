import { setImmediate as breathe } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import type { InputPosition, Outcome } from '../events/types.generated.ts';
import type { Numbering } from '../numbering.ts';
import { unpackId } from './answer.ts';
import {
  Tally,
  type FoundInput,
  type FoundVerdict,
  type MissingInput,
  type Rejudged,
  type ReconcileReport,
  type VersionCount,
} from './report.ts';
import type { Spill } from './spill.ts';

export interface CompareOptions {
  topic: string;
  limit: number;
  spill: Spill;
  versions: Numbering<VersionCount>;
  places: Numbering<Omit<InputPosition, 'offset'>>;
  committed: ReadonlyMap<number, number>;
  signal?: AbortSignal | undefined;
  /** So many more inputs have been compared. */
  onCompared?: ((count: number) => void) | undefined;
}

export type Compared = Pick<
  ReconcileReport,
  'duplicates' | 'missing' | 'conflicting' | 'rejudged' | 'unknown' | 'withoutDeadLetter'
>;

/** All answers to one input, counted. */
interface Group {
  partition: number;
  offset: number;
  /** That differ in id or in what they say. */
  answers: number;
  duplicates: number;
  promisesLetter: boolean;
}

/** Comparing is synchronous work: signals and progress get their turn between so many inputs. */
const BREATHE_EVERY = 50_000;

/** One pass over inputs and answers, both sorted by partition and offset, as in a merge join. */
export async function compare(options: CompareOptions): Promise<Compared> {
  const { topic, limit, spill, committed, signal, onCompared } = options;
  const missing = Object.assign(new Tally<MissingInput>(limit), { uncommitted: 0 });
  const conflicting = new Tally<FoundInput>(limit);
  const rejudged = Object.assign(new Tally<Rejudged>(limit), { differing: 0 });
  const unknown = new Tally<FoundInput>(limit);
  const withoutDeadLetter = new Tally<FoundInput>(limit);
  let duplicates = 0;

  const answersTo = answersReader(options);
  const letterOf = spill.reader('SELECT 1 FROM letters WHERE partition = ? AND "offset" = ?');
  const hasLetter = ({ partition, offset }: Group): boolean =>
    [...letterOf(partition, offset)].length > 0;

  const judge = (group: Group): void => {
    const input = { topic, partition: group.partition, offset: group.offset };
    duplicates += group.duplicates;
    const found = (): FoundInput => ({ input, verdicts: answersTo(group) });
    if (group.promisesLetter && !hasLetter(group)) withoutDeadLetter.add(found);
    if (group.answers === 1) return;
    const verdicts = answersTo(group);
    if (contradict(verdicts)) {
      conflicting.add(found);
      return;
    }
    const outcomesDiffer = new Set(verdicts.map(({ outcome }) => outcome)).size > 1;
    if (outcomesDiffer) rejudged.differing += 1;
    rejudged.add(() => ({ input, verdicts, outcomesDiffer }));
  };
  const miss = (partition: number, offset: number): void => {
    const isCommitted = offset < (committed.get(partition) ?? -1);
    if (!isCommitted) missing.uncommitted += 1;
    missing.add(() => ({ input: { topic, partition, offset }, committed: isCommitted }));
  };
  const stray = (group: Group): void => {
    const { partition, offset } = group;
    unknown.add(() => ({ input: { topic, partition, offset }, verdicts: answersTo(group) }));
  };

  const groups = groupsOf(spill);
  let group = groups.next().value;
  let compared = 0;
  for (const [partition, first, next] of spill.reader(
    'SELECT partition, first, next FROM inputs ORDER BY partition, first',
  )() as Iterable<[number, number, number]>) {
    for (let offset = first; offset < next; offset += 1) {
      while (group && isBefore(group, partition, offset)) {
        stray(group);
        group = groups.next().value;
      }
      if (group?.partition === partition && group.offset === offset) {
        judge(group);
        group = groups.next().value;
      } else {
        miss(partition, offset);
      }
      compared += 1;
      if (compared % BREATHE_EVERY !== 0) continue;
      onCompared?.(BREATHE_EVERY);
      await breathe();
      if (signal?.aborted) throw new AppError('aborted', `reconciling ${topic}: stopped`);
    }
  }
  onCompared?.(compared % BREATHE_EVERY);
  for (; group; group = groups.next().value) stray(group);
  return { duplicates, missing, conflicting, rejudged, unknown, withoutDeadLetter };
}

function isBefore(group: Group, partition: number, offset: number): boolean {
  return group.partition < partition || (group.partition === partition && group.offset < offset);
}

/** The same id must always say the same, and one version may judge an input under one id only. */
function contradict(verdicts: readonly FoundVerdict[]): boolean {
  const ids = new Set(verdicts.map(({ verdictId }) => verdictId));
  const versions = new Set(
    verdicts.map(({ modelHash, preprocessing, bundleHash }) =>
      JSON.stringify([modelHash, preprocessing, bundleHash]),
    ),
  );
  return ids.size < verdicts.length || versions.size < ids.size;
}

function* groupsOf(spill: Spill): Generator<Group, undefined> {
  const rows = spill.reader(
    `SELECT partition, "offset", count(*), sum(times), max(letter) FROM answers
     GROUP BY partition, "offset" ORDER BY partition, "offset"`,
  )() as Iterable<[number, number, number, number, number]>;
  for (const [partition, offset, answers, verdicts, letter] of rows) {
    const duplicates = verdicts - answers;
    yield { partition, offset, answers, duplicates, promisesLetter: letter === 1 };
  }
}

function answersReader({
  spill,
  versions,
  places,
}: CompareOptions): (group: Group) => FoundVerdict[] {
  const read = spill.reader(
    `SELECT id, outcome, version, place, "at" FROM answers
     WHERE partition = ? AND "offset" = ? ORDER BY place, "at"`,
  );
  return ({ partition, offset }) =>
    [...read(partition, offset)].map((row) => {
      const [id, outcome, version, place, at] = row as [
        Uint8Array | string,
        Outcome,
        number,
        number,
        number,
      ];
      const { modelHash, preprocessing, bundleHash } = versions.at(version);
      return {
        verdictId: unpackId(id),
        outcome,
        at: { ...places.at(place), offset: at },
        modelHash,
        preprocessing,
        bundleHash,
      };
    });
}
