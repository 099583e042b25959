/**
 * Which offsets may be committed. Records are resolved in any order, but a commit says "everything before
 * this offset is done": so what may be committed of a partition is the end of its resolved prefix.
 *
 * Contiguity is over the offsets that were *handed out*. Offsets that never reach us (compacted away, control
 * records, aborted transactions) leave gaps that mean nothing.
 */

/** An offset to commit: the next to be read. `epoch` tells the tenure that it was earned in. */
export interface Commit {
  partition: number;
  offset: number;
  epoch: number;
}

export interface PartitionProgress {
  partition: number;
  /** -1 before the first commit that is known of. */
  committed: number;
  /** The end of the resolved prefix: what the next commit would say; -1 while unknown. */
  position: number;
  inFlight: number;
  /** Records not yet resolved; null until both the position and the end of the partition are known. */
  lag: number | null;
}

/** One record handed out. The list of a partition holds those that are not resolved, in order. */
interface Loan {
  /** Where the partition stands once this loan and all before it are resolved. */
  after: number;
  resolved: boolean;
  /** Loans behind it that are resolved and answered for by it. */
  covers: number;
  previous: Loan | undefined;
  next: Loan | undefined;
}

/** One partition for as long as it is ours without interruption. */
class Tenure {
  readonly epoch: number;
  committed = -1;
  /** The offset before which everything handed out is resolved; -1 before the first hand-out. */
  settled = -1;
  /** Where reading began; for the lag only, never committed. -1 while unknown. */
  start = -1;
  end: number | null = null;
  inFlight = 0;
  /** Loans that are resolved before one that is older. */
  ahead = 0;
  readonly #ended = new AbortController();
  #newest: Loan | undefined;

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  /** Aborts when the tenure is over. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  close(): void {
    this.#ended.abort();
  }

  /** The lowest offset that has not been handed out or passed over. */
  get next(): number {
    return this.#newest?.after ?? this.settled;
  }

  get position(): number {
    return this.settled >= 0 ? this.settled : this.start;
  }

  lend(offset: number): Loan {
    if (this.start < 0) this.start = offset;
    const previous = this.#newest;
    const loan: Loan = { after: offset + 1, resolved: false, covers: 0, previous, next: undefined };
    if (previous) previous.next = loan;
    this.#newest = loan;
    this.inFlight += 1;
    return loan;
  }

  /**
   * Takes the loan out of the list; whoever is before it answers for its offsets from now on. So one record
   * that is held for long does not gather all that is resolved behind it.
   */
  resolve(loan: Loan): void {
    if (loan.resolved) return;
    const { after, previous, next } = loan;
    loan.resolved = true;
    this.inFlight -= 1;
    if (next) next.previous = previous;
    else this.#newest = previous;
    if (previous) {
      previous.next = next;
      previous.after = after;
      previous.covers += 1 + loan.covers;
      this.ahead += 1;
    } else {
      this.ahead -= loan.covers;
      this.settled = after;
    }
    // A delivery that somebody keeps must not keep other loans alive with it.
    loan.previous = loan.next = undefined;
  }

  advance(offset: number): void {
    if (this.#newest) this.#newest.after = Math.max(this.#newest.after, offset);
    else this.settled = Math.max(this.settled, offset);
  }
}

/**
 * Tracks what was handed out and what was resolved, per assigned partition. Each assignment of a partition is
 * an epoch of its own: what was handed out in an earlier one is read again by whoever owns the partition now,
 * so resolving it late has no effect. Every operation is O(1); memory is O(in flight).
 */
export class OffsetLedger {
  readonly #tenures = new Map<number, Tenure>();
  #epochs = 0;

  /** Begins a new epoch for each of `partitions`, also for one that is already assigned. */
  assign(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#begin(partition);
  }

  /** Ends the epochs of `partitions`, or of all: nothing of them is committed any more. */
  revoke(partitions: Iterable<number> = [...this.#tenures.keys()]): void {
    for (const partition of partitions) this.#end(partition);
  }

  /** The current epoch of a partition; undefined when it is not assigned. */
  epochOf(partition: number): number | undefined {
    return this.#tenures.get(partition)?.epoch;
  }

  /** Aborts when the current epoch of a partition ends; aborted already when it is not assigned. */
  revoked(partition: number): AbortSignal {
    return this.#tenures.get(partition)?.ended ?? AbortSignal.abort();
  }

  /** True when a restart would not have to guess where to begin: there is a commit, or something to commit. */
  isAnchored(partition: number): boolean {
    const tenure = this.#tenures.get(partition);
    return tenure !== undefined && Math.max(tenure.committed, tenure.settled) >= 0;
  }

  /**
   * Notes that the record at `offset` was handed out, and returns what resolves it: idempotent, and without
   * effect once the epoch has ended. Offsets of a partition rise; one that does not says that the log was cut
   * back and is read again, which begins a new epoch.
   */
  handOut(partition: number, offset: number): () => void {
    let tenure = this.#tenures.get(partition);
    if (!tenure)
      throw new Error(`handing out ${partition}/${offset}: the partition is not assigned`);
    if (offset < tenure.next) tenure = this.#begin(partition);
    const owner = tenure;
    const loan = owner.lend(offset);
    // Once its epoch has ended nobody asks this tenure any more: whatever happens to it has no effect.
    return () => {
      owner.resolve(loan);
    };
  }

  /** Records of a partition that are resolved before one that is older: a crash repeats them. */
  ahead(partition: number): number {
    return this.#tenures.get(partition)?.ahead ?? 0;
  }

  /** Notes that the broker has nothing for us between the last record handed out and `offset`. */
  advance(partition: number, offset: number): void {
    this.#tenures.get(partition)?.advance(offset);
  }

  /** What is worth committing: the end of each resolved prefix that has moved since the last commit. */
  committable(): Commit[] {
    const commits: Commit[] = [];
    for (const [partition, { epoch, settled, committed }] of this.#tenures) {
      if (settled > committed) commits.push({ partition, offset: settled, epoch });
    }
    return commits;
  }

  /** Notes that the broker has accepted `commits`; those of an ended epoch are passed over. */
  confirm(commits: readonly Commit[]): void {
    for (const { partition, offset, epoch } of commits) {
      const tenure = this.#tenures.get(partition);
      if (tenure?.epoch === epoch) tenure.committed = Math.max(tenure.committed, offset);
    }
  }

  /** Notes what the broker knew of a partition when it was assigned: the group's commit (-1: none) and where reading begins. */
  begin(partition: number, known: { committed: number; start: number }): void {
    const tenure = this.#tenures.get(partition);
    if (!tenure) return;
    tenure.committed = Math.max(tenure.committed, known.committed);
    if (tenure.start < 0) tenure.start = known.start;
  }

  /** Notes where the partition ends: the offset that its next record will have. */
  observeEnd(partition: number, end: number): void {
    const tenure = this.#tenures.get(partition);
    if (tenure) tenure.end = end;
  }

  /** Records handed out and not yet resolved, of one partition or of all. */
  inFlight(partition?: number): number {
    if (partition !== undefined) return this.#tenures.get(partition)?.inFlight ?? 0;
    let sum = 0;
    for (const { inFlight } of this.#tenures.values()) sum += inFlight;
    return sum;
  }

  progress(): PartitionProgress[] {
    return [...this.#tenures]
      .map(([partition, { committed, position, inFlight, end }]) => ({
        partition,
        committed,
        position,
        inFlight,
        lag: end === null || position < 0 ? null : Math.max(0, end - position),
      }))
      .sort((a, b) => a.partition - b.partition);
  }

  #begin(partition: number): Tenure {
    this.#end(partition);
    this.#epochs += 1;
    const tenure = new Tenure(this.#epochs);
    this.#tenures.set(partition, tenure);
    return tenure;
  }

  #end(partition: number): void {
    const tenure = this.#tenures.get(partition);
    this.#tenures.delete(partition);
    tenure?.close();
  }
}
