/**
 * Looking back: whether every record of the input topic has exactly one outcome. This room reads what was
 * published and judges no image.
 */
import type { OffsetRange } from '../kafka/read-range.ts';
import type { InputPosition, Outcome } from '../events/types.generated.ts';

/** How often something was found, and the first of it. */
export interface Findings<T> {
  count: number;
  /** At most as many as were asked for; by partition and offset. */
  first: T[];
}

/** One answer to an input; a duplicate of it is not another one. */
export interface FoundVerdict {
  verdictId: string;
  outcome: Outcome;
  /** Where it was first found. */
  at: InputPosition;
  modelHash: string;
  preprocessing: string;
  bundleHash: string;
}

export interface FoundInput {
  input: InputPosition;
  verdicts: FoundVerdict[];
}

export interface MissingInput {
  input: InputPosition;
  /** False when the group has not committed it: it may still be worked on. */
  committed: boolean;
}

export interface Rejudged extends FoundInput {
  outcomesDiffer: boolean;
}

export interface Undecodable {
  at: InputPosition;
  /** Code and message of what the decoder threw. */
  error: string;
}

/** A record that says, in its headers, that it comes from an earlier one. */
export interface OriginatedInput {
  input: InputPosition;
  origin: InputPosition;
  attempts: number;
}

export interface WrongOrigin extends OriginatedInput {
  why: string;
}

/** A verdict under an id that is not that of its input. */
export interface ForeignId {
  input: InputPosition;
  verdictId: string;
  /** Where the verdict was found. */
  at: InputPosition;
  /** The record that the id belongs to, where the input names it as its origin; else null. */
  belongsTo: InputPosition | null;
}

export interface VersionCount {
  modelHash: string;
  preprocessing: string;
  bundleHash: string;
  /** Of the range, duplicates included. */
  verdicts: number;
}

export interface InputRange extends OffsetRange {
  /** The next offset that the group reads; -1 when it has committed none. */
  committed: number;
}

export interface ReconcileReport {
  /** Nothing is missing, conflicting, undecodable, without its dead letter, of a wrong origin or under a foreign id. */
  proven: boolean;
  /** What was asked about, one for each partition of the input topic. */
  ranges: InputRange[];
  inputs: number;
  /** That name a position in the ranges; duplicates and unknown ones included. */
  verdicts: number;
  /** The same answer with the same id once more: harmless. */
  duplicates: number;
  /** Inputs without a verdict; `uncommitted` of them are not committed by the group. */
  missing: Findings<MissingInput> & { uncommitted: number };
  /** Inputs with answers that contradict each other. */
  conflicting: Findings<FoundInput>;
  /** Inputs judged by several versions of model and bundle: harmless. `differing` of them with several outcomes. */
  rejudged: Findings<Rejudged> & { differing: number };
  /** Inputs that are redriven records, by proof of the redrive key or by a note among the dead letters. */
  redriven: number;
  /** Inputs that name an origin without proof: their verdicts have ids of their own. Harmless. */
  unprovenOrigins: Findings<OriginatedInput>;
  /** Redriven inputs whose origin another one has too, or which cannot be: not in the topic, or past its end. */
  wrongOrigins: Findings<WrongOrigin>;
  /** Verdicts that share the id of another record: consumers would drop one of the two. */
  foreignIds: Findings<ForeignId>;
  /** Positions in the ranges that hold no input and yet have a verdict. */
  unknown: Findings<FoundInput>;
  /** Dead letters of inputs in the ranges. */
  deadLetters: number;
  /** Inputs whose verdict promises a dead letter that is not there. */
  withoutDeadLetter: Findings<FoundInput>;
  /** Records of the output topics that are no verdict, or no dead letter, although they should be. */
  undecodable: Findings<Undecodable>;
  /** Verdicts of the same topic, outside of the ranges. */
  outside: number;
  /** Verdicts of other input topics. */
  elsewhere: number;
  versions: VersionCount[];
  /** What was spilled to disk, in bytes. */
  spilledBytes: number;
}

/** Counts everything and keeps the first few. */
export class Tally<T> implements Findings<T> {
  count = 0;
  readonly first: T[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `describe` is only called for what is kept. */
  add(describe: () => T): void {
    this.count += 1;
    if (this.first.length < this.#limit) this.first.push(describe());
  }
}
