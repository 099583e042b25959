import type { InputPosition } from '../events/types.generated.ts';
import { verdictId } from '../events/verdict-id.ts';
import { packId, unpackId } from './answer.ts';
import {
  Tally,
  type ForeignId,
  type OriginatedInput,
  type ReconcileReport,
  type WrongOrigin,
} from './report.ts';
import type { Spill } from './spill.ts';

/**
 * The claims of inputs to come from an earlier record, and the verdicts whose id is not that of their own input. There
 * are few of either, unless someone forges them: both are on disk.
 */
export const ORIGINS_SCHEMA = `
  CREATE TABLE claims (
    partition INT, "offset" INT, otopic TEXT, opartition INT, ooffset INT, attempts INT, proven INT,
    PRIMARY KEY (partition, "offset")
  ) WITHOUT ROWID;
  CREATE INDEX claimed ON claims (otopic, opartition, ooffset, attempts);
  CREATE TABLE foreigners (
    partition INT, "offset" INT, id BLOB, event TEXT, model TEXT, preprocessing TEXT, bundle TEXT,
    topic TEXT, vpartition INT, voffset INT,
    PRIMARY KEY (partition, "offset", id)
  ) WITHOUT ROWID`;

/** The parts of a verdict that its id follows from. */
export interface IdentifiedVerdict {
  verdictId: string;
  eventId: string | null;
  input: InputPosition;
  model: { hash: string; preprocessing: string };
  bundle: { hash: string };
}

export interface ClaimedOrigin {
  origin: InputPosition;
  attempts: number;
  isProven: boolean;
}

export type OriginFindings = Pick<
  ReconcileReport,
  'redriven' | 'unprovenOrigins' | 'wrongOrigins' | 'foreignIds'
>;

export interface OriginsOptions {
  /** The input topic. */
  topic: string;
  /** By partition, the offset after its last record, whatever the range that is asked about. */
  ends: ReadonlyMap<number, number>;
  limit: number;
}

type Row = [partition: number, offset: number, ...rest: unknown[]];

/** Which records are redriven ones, and whether ids follow from what their inputs are. */
export class Origins {
  readonly #spill: Spill;
  readonly #options: OriginsOptions;
  readonly #addClaim: (...values: Array<number | string>) => void;
  readonly #prove: (partition: number, offset: number) => void;
  readonly #addForeigner: (...values: Array<number | string | Buffer | null>) => void;

  constructor(spill: Spill, options: OriginsOptions) {
    this.#spill = spill;
    this.#options = options;
    this.#addClaim = spill.writer('INSERT OR IGNORE INTO claims VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#prove = spill.writer('UPDATE claims SET proven = 1 WHERE partition = ? AND "offset" = ?');
    this.#addForeigner = spill.writer(
      'INSERT OR IGNORE INTO foreigners VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  claim(partition: number, offset: number, { origin, attempts, isProven }: ClaimedOrigin): void {
    const { topic, partition: opartition, offset: ooffset } = origin;
    this.#addClaim(partition, offset, topic, opartition, ooffset, attempts, isProven ? 1 : 0);
  }

  /** A note among the dead letters says that a redrive wrote the record at `to`. */
  noted({ topic, partition, offset }: InputPosition): void {
    if (topic === this.#options.topic) this.#prove(partition, offset);
  }

  /** Keeps a verdict whose id is not that of its own input; `at`: where it was found. */
  check(verdict: IdentifiedVerdict, at: InputPosition): void {
    const { eventId, input, model, bundle } = verdict;
    const { hash: modelHash, preprocessing } = model;
    const hashes = { modelHash, preprocessing, bundleHash: bundle.hash };
    if (verdict.verdictId === verdictId({ eventId, ...input, ...hashes })) return;
    this.#addForeigner(
      input.partition,
      input.offset,
      packId(verdict.verdictId),
      eventId,
      modelHash,
      preprocessing,
      bundle.hash,
      at.topic,
      at.partition,
      at.offset,
    );
  }

  /** The end of adding. */
  findings(): OriginFindings {
    const { limit } = this.#options;
    const unprovenOrigins = new Tally<OriginatedInput>(limit);
    const wrongOrigins = new Tally<WrongOrigin>(limit);
    let redriven = 0;
    const twin = this.#spill.reader(
      `SELECT partition, "offset" FROM claims WHERE otopic = ? AND opartition = ? AND ooffset = ? AND attempts = ?
       AND proven = 1 AND NOT (partition = ? AND "offset" = ?) LIMIT 1`,
    );
    for (const row of this.#rows('SELECT * FROM claims ORDER BY partition, "offset"')) {
      const claimed = this.#claimOf(row);
      const { input, origin, attempts } = claimed;
      if (row[6] !== 1) {
        unprovenOrigins.add(() => claimed);
        continue;
      }
      redriven += 1;
      const [other] = [
        ...twin(
          origin.topic,
          origin.partition,
          origin.offset,
          attempts,
          input.partition,
          input.offset,
        ),
      ] as Row[];
      const why =
        other === undefined
          ? this.#whyImpossible(input, origin)
          : `${this.#options.topic}/${other[0]}/${other[1]} claims it too, after as many attempts`;
      if (why !== undefined) wrongOrigins.add(() => ({ ...claimed, why }));
    }
    return { redriven, unprovenOrigins, wrongOrigins, foreignIds: this.#foreignIds() };
  }

  #foreignIds(): Tally<ForeignId> {
    const found = new Tally<ForeignId>(this.#options.limit);
    const claimOf = this.#spill.reader('SELECT * FROM claims WHERE partition = ? AND "offset" = ?');
    for (const row of this.#rows('SELECT * FROM foreigners ORDER BY partition, "offset"')) {
      const [partition, offset, packed, event, modelHash, preprocessing, bundleHash, ...at] =
        row as [
          number,
          number,
          Uint8Array | string,
          string | null,
          string,
          string,
          string,
          string,
          number,
          number,
        ];
      const id = unpackId(packed);
      const [claim] = [...claimOf(partition, offset)] as Row[];
      const origin = claim && this.#claimOf(claim).origin;
      const isOrigins =
        origin !== undefined &&
        id === verdictId({ eventId: event, ...origin, modelHash, preprocessing, bundleHash });
      if (isOrigins && claim?.[6] === 1) continue; // it was redriven, and is the same event
      found.add(() => ({
        input: { topic: this.#options.topic, partition, offset },
        verdictId: id,
        at: { topic: at[0], partition: at[1], offset: at[2] },
        belongsTo: isOrigins ? origin : null,
      }));
    }
    return found;
  }

  /** Why nothing can come from there; undefined when it can. The records of other topics are not known. */
  #whyImpossible(input: InputPosition, origin: InputPosition): string | undefined {
    const { topic, ends } = this.#options;
    if (origin.topic !== topic) return undefined;
    const end = ends.get(origin.partition);
    if (end === undefined) return `the topic has no partition ${origin.partition}`;
    if (origin.offset >= end) return `the partition ends at ${end}`;
    const isBefore = origin.partition !== input.partition || origin.offset < input.offset;
    return isBefore ? undefined : 'it does not lie before the record';
  }

  #claimOf(row: Row): OriginatedInput {
    const [partition, offset, otopic, opartition, ooffset, attempts] = row as [
      number,
      number,
      string,
      number,
      number,
      number,
    ];
    return {
      input: { topic: this.#options.topic, partition, offset },
      origin: { topic: otopic, partition: opartition, offset: ooffset },
      attempts,
    };
  }

  #rows(sql: string): Iterable<Row> {
    return this.#spill.reader(sql)() as Iterable<unknown> as Iterable<Row>;
  }
}
