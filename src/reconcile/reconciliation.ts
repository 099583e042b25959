import type { OffsetRange } from '../kafka/read-range.ts';
import { messageOf } from '../errors.ts';
import type { InputPosition, Verdict } from '../events/types.generated.ts';
import { Numbering } from '../numbering.ts';
import { answerDigest, hasDeadLetter, packId } from './answer.ts';
import { compare, type CompareOptions } from './compare.ts';
import { Origins, ORIGINS_SCHEMA, type ClaimedOrigin } from './origins.ts';
import { Tally, type ReconcileReport, type Undecodable, type VersionCount } from './report.ts';
import { Spill, type SpillOptions } from './spill.ts';

export interface ReconciliationOptions extends SpillOptions {
  /** The input topic. */
  topic: string;
  /** What is asked about: one range for each of its partitions. */
  ranges: readonly OffsetRange[];
  /** How many of each kind of finding are kept. @default 20 */
  limit?: number | undefined;
  /** By partition, the offset after its last record. @default where the ranges end */
  ends?: ReadonlyMap<number, number> | undefined;
}

/** A row for each run of offsets that all hold an input, and for each different answer to an input. */
const SCHEMA = `
  CREATE TABLE inputs (partition INT, first INT, next INT, PRIMARY KEY (partition, first)) WITHOUT ROWID;
  CREATE TABLE letters (partition INT, "offset" INT, PRIMARY KEY (partition, "offset")) WITHOUT ROWID;
  CREATE TABLE answers (
    partition INT, "offset" INT, id BLOB, digest BLOB,
    version INT, outcome TEXT, letter INT, times INT, place INT, "at" INT,
    PRIMARY KEY (partition, "offset", id, digest)
  ) WITHOUT ROWID;
  ${ORIGINS_SCHEMA}`;

interface Run {
  first: number;
  next: number;
}

/**
 * Everything that is known of a stretch of the input topic, added in any order but for the inputs, whose offsets
 * must ascend within a partition. What grows with the number of records is on disk.
 * Adding throws AppError `spill_failed`.
 */
export class Reconciliation implements Disposable {
  readonly #topic: string;
  readonly #limit: number;
  readonly #ranges: ReadonlyMap<number, OffsetRange>;
  readonly #spill: Spill;
  readonly #runs = new Map<number, Run>();
  readonly #versions = new Numbering<VersionCount>();
  readonly #places = new Numbering<Omit<InputPosition, 'offset'>>();
  readonly #undecodable: Tally<Undecodable>;
  readonly #origins: Origins;
  #inputs = 0;
  #verdicts = 0;
  #deadLetters = 0;
  #outside = 0;
  #elsewhere = 0;
  readonly #addRun: (partition: number, first: number, next: number) => void;
  readonly #addLetter: (partition: number, offset: number) => void;
  readonly #addAnswer: ReturnType<Spill['writer']>;

  constructor({ topic, ranges, limit = 20, ends, ...spill }: ReconciliationOptions) {
    this.#topic = topic;
    this.#limit = limit;
    this.#ranges = new Map(ranges.map((range) => [range.partition, range]));
    this.#undecodable = new Tally(limit);
    this.#spill = new Spill(SCHEMA, spill);
    this.#origins = new Origins(this.#spill, {
      topic,
      limit,
      ends: ends ?? new Map(ranges.map(({ partition, to }) => [partition, to])),
    });
    this.#addRun = this.#spill.writer('INSERT INTO inputs VALUES (?, ?, ?)');
    this.#addLetter = this.#spill.writer('INSERT OR IGNORE INTO letters VALUES (?, ?)');
    this.#addAnswer = this.#spill.writer(
      `INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
       ON CONFLICT DO UPDATE SET times = times + 1`,
    );
  }

  /** `claim`: what the headers of the record say about its origin. */
  addInput(partition: number, offset: number, claim?: ClaimedOrigin): void {
    this.#inputs += 1;
    if (claim) this.#origins.claim(partition, offset, claim);
    const run = this.#runs.get(partition);
    if (run?.next === offset) {
      run.next += 1;
      return;
    }
    if (run) this.#addRun(partition, run.first, run.next);
    this.#runs.set(partition, { first: offset, next: offset + 1 });
  }

  /** `at`: where the verdict was found. */
  addVerdict(verdict: Verdict, at: InputPosition): void {
    const { topic, partition, offset } = verdict.input;
    if (topic !== this.#topic) {
      this.#elsewhere += 1;
      return;
    }
    if (!this.#isAskedAbout(partition, offset)) {
      this.#outside += 1;
      return;
    }
    this.#verdicts += 1;
    this.#origins.check(verdict, at);
    const version = this.#versionOf(verdict);
    const place = this.#places.indexOf(`${at.topic}/${at.partition}`, () => ({
      topic: at.topic,
      partition: at.partition,
    }));
    this.#addAnswer(
      partition,
      offset,
      packId(verdict.verdictId),
      answerDigest(verdict),
      version,
      verdict.outcome,
      hasDeadLetter(verdict) ? 1 : 0,
      place,
      at.offset,
    );
  }

  addDeadLetter({ topic, partition, offset }: InputPosition): void {
    if (topic !== this.#topic || !this.#isAskedAbout(partition, offset)) return;
    this.#deadLetters += 1;
    this.#addLetter(partition, offset);
  }

  /** A note among the dead letters, about the redriven record at `to`. */
  addNote(to: InputPosition): void {
    this.#origins.noted(to);
  }

  /** A record of an output topic that could not be decoded, and why. */
  addUndecodable(at: InputPosition, error: unknown): void {
    this.#undecodable.add(() => ({ at, error: messageOf(error) }));
  }

  /**
   * Compares all that was added; the end of adding.
   *
   * @param committed - the next offset that the group reads of each partition, where it has committed one
   */
  async report(
    committed: ReadonlyMap<number, number>,
    options: Pick<CompareOptions, 'signal' | 'onCompared'> = {},
  ): Promise<ReconcileReport> {
    for (const [partition, { first, next }] of this.#runs) this.#addRun(partition, first, next);
    this.#runs.clear();
    this.#spill.run('COMMIT');
    const compared = await compare({
      ...options,
      topic: this.#topic,
      limit: this.#limit,
      spill: this.#spill,
      versions: this.#versions,
      places: this.#places,
      committed,
    });
    const { missing, conflicting, withoutDeadLetter } = compared;
    const origins = this.#origins.findings();
    const { wrongOrigins, foreignIds } = origins;
    const unanswered = [missing, withoutDeadLetter, this.#undecodable];
    const faults = [...unanswered, conflicting, wrongOrigins, foreignIds];
    return {
      proven: faults.every(({ count }) => count === 0),
      ranges: [...this.#ranges.values()].map((range) => ({
        ...range,
        committed: committed.get(range.partition) ?? -1,
      })),
      inputs: this.#inputs,
      verdicts: this.#verdicts,
      ...compared,
      ...origins,
      deadLetters: this.#deadLetters,
      undecodable: this.#undecodable,
      outside: this.#outside,
      elsewhere: this.#elsewhere,
      versions: this.#versions.values(),
      spilledBytes: this.#spill.bytes,
    };
  }

  [Symbol.dispose](): void {
    this.#spill[Symbol.dispose]();
  }

  #isAskedAbout(partition: number, offset: number): boolean {
    const range = this.#ranges.get(partition);
    return range !== undefined && offset >= range.from && offset < range.to;
  }

  #versionOf({ model, bundle }: Verdict): number {
    const version = {
      modelHash: model.hash,
      preprocessing: model.preprocessing,
      bundleHash: bundle.hash,
    };
    const index = this.#versions.indexOf(JSON.stringify(Object.values(version)), () => ({
      ...version,
      verdicts: 0,
    }));
    this.#versions.at(index).verdicts += 1;
    return index;
  }
}
