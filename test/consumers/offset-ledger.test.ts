import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OffsetLedger } from '../../src/consumers/offset-ledger.ts';
import { Commands, LedgerModel } from '../support/ledger-model.ts';

function ledgerOf(...partitions: number[]): OffsetLedger {
  const ledger = new OffsetLedger();
  ledger.assign(partitions);
  return ledger;
}

/** What may be committed, by partition. */
function committable(ledger: OffsetLedger): Record<number, number> {
  return Object.fromEntries(ledger.committable().map((c) => [c.partition, c.offset]));
}

describe('the offset ledger', () => {
  it('has nothing to commit while nothing is resolved', () => {
    const ledger = ledgerOf(0);
    ledger.handOut(0, 7);
    expect(ledger.committable()).toEqual([]);
  });

  it('commits the offset after the resolved prefix', () => {
    const ledger = ledgerOf(0);
    const [a, b, c] = [5, 6, 7].map((offset) => ledger.handOut(0, offset));
    c?.();
    expect(committable(ledger)).toEqual({});
    a?.();
    expect(committable(ledger)).toEqual({ 0: 6 });
    b?.();
    expect(committable(ledger)).toEqual({ 0: 8 });
  });

  it('is not held up by offsets that were never handed out', () => {
    const ledger = ledgerOf(0);
    const resolves = [3, 10, 500].map((offset) => ledger.handOut(0, offset));
    for (const resolve of resolves) resolve();
    expect(committable(ledger)).toEqual({ 0: 501 });
  });

  it('moves on past control records, but only once everything before them is resolved', () => {
    const ledger = ledgerOf(0);
    const resolve = ledger.handOut(0, 4);
    ledger.advance(0, 6);
    expect(committable(ledger)).toEqual({});
    resolve();
    expect(committable(ledger)).toEqual({ 0: 6 });
    ledger.advance(0, 9);
    expect(committable(ledger)).toEqual({ 0: 9 });
  });

  it('offers an offset again until it is confirmed', () => {
    const ledger = ledgerOf(0);
    ledger.handOut(0, 0)();
    expect(committable(ledger)).toEqual({ 0: 1 });
    const commits = ledger.committable();
    ledger.handOut(0, 1)();
    ledger.confirm(commits);
    expect(committable(ledger)).toEqual({ 0: 2 });
    ledger.confirm(ledger.committable());
    expect(committable(ledger)).toEqual({});
  });

  it('ignores a resolve from before a rebalance, also when the partition came back', () => {
    const ledger = ledgerOf(0);
    const late = ledger.handOut(0, 0);
    ledger.revoke();
    ledger.assign([0]);
    ledger.handOut(0, 0);
    late();
    expect(ledger.committable()).toEqual([]);
    expect(ledger.inFlight()).toBe(1);
  });

  it('ignores a commit that is confirmed after a rebalance', () => {
    const ledger = ledgerOf(0);
    ledger.handOut(0, 9)();
    const commits = ledger.committable();
    ledger.revoke();
    ledger.assign([0]);
    ledger.confirm(commits);
    ledger.handOut(0, 2)();
    expect(committable(ledger)).toEqual({ 0: 3 });
  });

  it('has nothing to say of a partition that was revoked, and goes on with the others', () => {
    const ledger = ledgerOf(0, 1);
    ledger.handOut(0, 0)();
    ledger.handOut(1, 0)();
    ledger.revoke([0]);
    ledger.advance(0, 5);
    ledger.observeEnd(0, 5);
    ledger.begin(0, { committed: 1, start: 1 });
    expect(committable(ledger)).toEqual({ 1: 1 });
    expect(ledger.epochOf(0)).toBeUndefined();
    expect(() => ledger.handOut(0, 1)).toThrow('not assigned');
  });

  it('begins a new epoch when a log that was cut back is read again', () => {
    const ledger = ledgerOf(0);
    const old = ledger.handOut(0, 90);
    ledger.handOut(0, 10)();
    expect(committable(ledger)).toEqual({ 0: 11 });
    expect(ledger.inFlight(0)).toBe(0);
    old();
    expect(committable(ledger)).toEqual({ 0: 11 });
  });

  it('counts what is in flight, also out of order and resolved twice', () => {
    const ledger = ledgerOf(0, 1);
    const [a, b] = [ledger.handOut(0, 0), ledger.handOut(0, 1)];
    ledger.handOut(1, 0);
    b();
    b();
    expect([ledger.inFlight(), ledger.inFlight(0), ledger.inFlight(1)]).toEqual([2, 1, 1]);
    a();
    expect(ledger.inFlight(0)).toBe(0);
  });

  it('tells the lag from the resolved prefix to the end, as soon as it knows both', () => {
    const ledger = ledgerOf(0);
    const lag = (): number | null | undefined => ledger.progress()[0]?.lag;
    expect(lag()).toBeNull();
    ledger.observeEnd(0, 100);
    expect(lag()).toBeNull();
    ledger.begin(0, { committed: 40, start: 40 });
    expect(lag()).toBe(60);
    const resolve = ledger.handOut(0, 40);
    expect(lag()).toBe(60);
    resolve();
    expect(lag()).toBe(59);
    expect(ledger.progress()).toEqual([
      { partition: 0, committed: 40, position: 41, inFlight: 0, lag: 59 },
    ]);
  });

  it('never offers again what the group had committed before', () => {
    const ledger = ledgerOf(0);
    expect(ledger.isAnchored(0)).toBe(false);
    ledger.begin(0, { committed: 12, start: 12 });
    expect(ledger.isAnchored(0)).toBe(true);
    ledger.advance(0, 12);
    expect(ledger.committable()).toEqual([]);
  });

  it('agrees with a naive model whatever is handed out, resolved, revoked and committed', () => {
    fc.assert(
      fc.property(fc.commands(Commands, { size: '+1', maxCommands: 120 }), (commands) => {
        fc.modelRun(() => ({ model: new LedgerModel(), real: new OffsetLedger() }), commands);
      }),
      { numRuns: 150 },
    );
  });

  it('commits everything in the end, in whatever order the records are resolved', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, fc.infiniteStream(fc.nat()), (steps, picks) => {
        const ledger = ledgerOf(0);
        let offset = 0;
        const open = steps.map((step) => ({
          offset: (offset += step),
          resolve: ledger.handOut(0, offset),
        }));
        while (open.length > 0) {
          const [picked] = open.splice((picks.next().value as number) % open.length, 1);
          picked?.resolve();
          const oldest = open[0]?.offset ?? offset + 1;
          for (const commit of ledger.committable()) {
            expect(commit.offset).toBeLessThanOrEqual(oldest);
          }
          ledger.confirm(ledger.committable());
        }
        expect(ledger.progress()[0]?.committed).toBe(offset + 1);
      }),
    );
  });

  it('needs no memory for what is resolved behind a record that is held for long', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const ledger = ledgerOf(0);
    const held = ledger.handOut(0, 0);
    const before = heap();
    const count = 200_000;
    for (let offset = 1; offset <= count; offset += 1) ledger.handOut(0, offset)();
    // Kept, they would take some 10 MB.
    expect(heap() - before).toBeLessThan(2e6);
    expect(committable(ledger)).toEqual({});
    held();
    expect(committable(ledger)).toEqual({ 0: count + 1 });
  });

  it('untangles 100,000 acknowledgements, committing in order and in linear time', () => {
    const count = 100_000;
    const window = 1_000;
    const ledger = ledgerOf(0);
    const inFlight: Array<{ offset: number; resolve: () => void }> = [];
    let last = -1;
    let seed = 42;
    const startedAt = performance.now();
    for (let offset = 0; offset < count || inFlight.length > 0;) {
      while (offset < count && inFlight.length < window) {
        inFlight.push({ offset, resolve: ledger.handOut(0, offset) });
        offset += 1;
      }
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      const at = seed % inFlight.length;
      const picked = inFlight[at] as { offset: number; resolve: () => void };
      inFlight[at] = inFlight.at(-1) as { offset: number; resolve: () => void };
      inFlight.pop();
      picked.resolve();
      const [commit] = ledger.committable();
      if (commit) {
        expect(commit.offset > last).toBe(true);
        last = commit.offset;
        ledger.confirm([commit]);
      }
    }
    expect(last).toBe(count);
    expect(ledger.inFlight()).toBe(0);
    // Some 100 ms; the bound is far off because it is there to catch quadratic time, which takes minutes.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
