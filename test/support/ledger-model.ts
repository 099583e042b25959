import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { Commit, OffsetLedger } from '../../src/consumers/offset-ledger.ts';

interface Lent {
  offset: number;
  resolved: boolean;
}

/** One assignment of a partition, written down in full and never forgotten. */
interface Epoch {
  partition: number;
  lent: Lent[];
  /** Where the broker says it stands, when nothing was handed out. */
  next: number;
  /** For each lent record, the offset before which the broker had nothing more. */
  after: number[];
  passed: number;
  committed: number;
}

/** The ledger as simple as can be, with no thought of time and memory. */
export class LedgerModel {
  readonly owned = new Map<number, Epoch>();
  /** Every resolve function ever handed out, with the record that it is for. */
  readonly resolves: Array<{ resolve: () => void; lent: Lent }> = [];
  /** A commit that was sent and is not answered yet. */
  pending: { commits: Commit[]; epochs: Map<number, Epoch> } | undefined;

  assign(partition: number): void {
    this.owned.set(partition, {
      partition,
      lent: [],
      next: 0,
      after: [],
      passed: -1,
      committed: -1,
    });
  }

  expected(epoch: Epoch): number {
    let settled = epoch.passed;
    for (const [index, lent] of epoch.lent.entries()) {
      if (!lent.resolved) break;
      settled = epoch.after[index] as number;
    }
    return settled;
  }
}

type Command = fc.Command<LedgerModel, OffsetLedger>;

/** Holds after each step: exactly the resolved prefixes of the partitions owned, and not one record more. */
function compare(model: LedgerModel, ledger: OffsetLedger): void {
  const commits = new Map(ledger.committable().map((commit) => [commit.partition, commit.offset]));
  for (const partition of commits.keys()) expect(model.owned.has(partition)).toBe(true);
  let inFlight = 0;
  for (const [partition, epoch] of model.owned) {
    const expected = model.expected(epoch);
    expect(commits.get(partition)).toBe(expected > epoch.committed ? expected : undefined);
    const open = epoch.lent.filter(({ resolved }) => !resolved);
    for (const { offset } of open) expect(commits.get(partition) ?? -1).toBeLessThanOrEqual(offset);
    inFlight += open.length;
  }
  expect(ledger.inFlight()).toBe(inFlight);
}

/** A command from what it does; it can always run. */
function command(name: string, run: (model: LedgerModel, ledger: OffsetLedger) => void): Command {
  return {
    check: () => true,
    run: (model, ledger) => {
      run(model, ledger);
      compare(model, ledger);
    },
    toString: () => name,
  };
}

const partition = fc.nat({ max: 2 });

const assign = partition.map((p) =>
  command(`assign(${p})`, (model, ledger) => {
    model.assign(p);
    ledger.assign([p]);
  }),
);

const revoke = partition.map((p) =>
  command(`revoke(${p})`, (model, ledger) => {
    model.owned.delete(p);
    ledger.revoke([p]);
  }),
);

const rebalance = fc.constant(
  command('rebalance', (model, ledger) => {
    const partitions = [...model.owned.keys()];
    for (const p of partitions) model.assign(p);
    ledger.revoke();
    ledger.assign(partitions);
  }),
);

const handOut = fc.tuple(partition, fc.integer({ min: 0, max: 3 })).map(([p, gap]) =>
  command(`handOut(${p}, +${gap})`, (model, ledger) => {
    const epoch = model.owned.get(p);
    if (!epoch) return;
    const lent = { offset: epoch.next + gap, resolved: false };
    epoch.next = lent.offset + 1;
    epoch.lent.push(lent);
    epoch.after.push(epoch.next);
    model.resolves.push({ resolve: ledger.handOut(p, lent.offset), lent });
  }),
);

const resolve = fc.nat().map((pick) =>
  command(`resolve(${pick})`, ({ resolves }) => {
    const picked = resolves[pick % Math.max(resolves.length, 1)];
    if (!picked) return;
    picked.lent.resolved = true; // of an ended epoch too: nobody looks at it any more
    picked.resolve();
  }),
);

const advance = fc.tuple(partition, fc.integer({ min: 0, max: 3 })).map(([p, gap]) =>
  command(`advance(${p}, +${gap})`, (model, ledger) => {
    const epoch = model.owned.get(p);
    if (!epoch) return;
    epoch.next += gap;
    if (epoch.lent.length > 0) epoch.after[epoch.after.length - 1] = epoch.next;
    else epoch.passed = epoch.next;
    ledger.advance(p, epoch.next);
  }),
);

const send = fc.constant(
  command('send the commit', (model, ledger) => {
    model.pending = { commits: ledger.committable(), epochs: new Map(model.owned) };
  }),
);

const answer = fc.boolean().map((accepted) =>
  command(accepted ? 'the commit is accepted' : 'the commit fails', (model, ledger) => {
    const { pending } = model;
    model.pending = undefined;
    if (!pending || !accepted) return;
    for (const { partition: p, offset } of pending.commits) {
      const epoch = pending.epochs.get(p);
      if (epoch) epoch.committed = Math.max(epoch.committed, offset);
    }
    ledger.confirm(pending.commits);
  }),
);

/** In about the proportions of real life, but with far more rebalances. */
export const Commands = [
  assign,
  revoke,
  rebalance,
  handOut,
  handOut,
  handOut,
  resolve,
  resolve,
  resolve,
  advance,
  send,
  answer,
];
