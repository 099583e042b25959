import { beforeEach, describe, expect, it } from '@jest/globals';
import { CommitLoop } from '../../src/consumers/commit-loop.ts';
import { OffsetLedger, type Commit } from '../../src/consumers/offset-ledger.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

let clock: FakeClock;
let ledger: OffsetLedger;
let sent: number[];
let commit: (commits: readonly Commit[]) => Promise<void>;

beforeEach(() => {
  clock = new FakeClock();
  ledger = new OffsetLedger();
  ledger.assign([0]);
  sent = [];
  commit = () => Promise.resolve();
});

function startLoop(): CommitLoop<Commit> {
  const loop = new CommitLoop({
    ledger,
    clock,
    intervalMs: 1_000,
    commit: (commits) => {
      sent.push(...commits.map(({ offset }) => offset));
      return commit(commits);
    },
  });
  loop.start();
  return loop;
}

describe('the commit loop', () => {
  it('commits once each interval, and only what is new', async () => {
    startLoop();
    ledger.handOut(0, 0)();
    ledger.handOut(0, 1)();
    await clock.advance(999);
    expect(sent).toEqual([]);
    await clock.advance(5_000);
    expect(sent).toEqual([2]);
    ledger.handOut(0, 2)();
    await clock.advance(1_000);
    expect(sent).toEqual([2, 3]);
  });

  it('never has two commits under way, so that an older one cannot land on a newer one', async () => {
    let answer = (): void => undefined;
    commit = () => new Promise((resolve) => (answer = resolve));
    const loop = startLoop();
    ledger.handOut(0, 0)();
    const first = loop.flush();
    await settle();
    ledger.handOut(0, 1)();
    const second = loop.flush();
    await settle();
    expect(sent).toEqual([1]);
    answer();
    await first;
    await settle();
    expect(sent).toEqual([1, 2]);
    answer();
    await second;
  });

  it('commits a last time at the end, and tries that more than once', async () => {
    let attempts = 0;
    commit = () => ((attempts += 1) < 3 ? Promise.reject(new Error('away')) : Promise.resolve());
    const loop = startLoop();
    ledger.handOut(0, 0)();
    const closed = loop.close();
    await clock.advance(1_000);
    await closed;
    expect(sent).toEqual([1, 1, 1]);
    expect(ledger.committable()).toEqual([]);
  });

  it('ends even when the last commit never succeeds, and commits no more', async () => {
    commit = () => Promise.reject(new Error('away'));
    const loop = startLoop();
    ledger.handOut(0, 0)();
    const closed = loop.close();
    await clock.advance(1_000);
    await closed;
    const attempts = sent.length;
    await clock.advance(60_000);
    expect(sent).toHaveLength(attempts);
  });
});
