import { describe, expect, it } from '@jest/globals';
import type { Case } from '../../fuzz/cases.ts';
import type { CaseOutcome, Report } from '../../fuzz/service-messages.ts';
import type { Service, ServiceListeners } from '../../fuzz/service-process.ts';
import { runCases } from '../../fuzz/session.ts';

const restarts = { crash: 0, timeout: 0, memory: 0, recycled: 0 };
const cases: Case[] = Array.from({ length: 20 }, (_, number) => {
  return { number, name: `case ${number}`, bytes: Buffer.from([number]), format: null };
});
const outcomeOf = (number: number): Report => {
  return { kind: 'outcome', number, outcome: 'allow', code: null, ms: 1 };
};

interface FakeOptions {
  /** How often each case has an outcome. @default once */
  outcomes?: (number: number) => number;
  /** At this case it ends, and how. */
  dies?: { at: number; how: string };
}

/** A service that answers at once. */
function fakeService({ outcomes = () => 1, dies }: FakeOptions = {}) {
  return ({ onReport }: ServiceListeners): Service => {
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    return {
      ended,
      send: ({ number }) => {
        if (number === dies?.at) resolve(dies.how);
        else for (let i = outcomes(number); i > 0; i -= 1) onReport(outcomeOf(number));
      },
      end: () => {
        onReport({ kind: 'done', restarts });
        resolve('exit 0');
      },
      kill: () => resolve('SIGKILL'),
    };
  };
}

async function run(fake: FakeOptions, { window = 4, patienceMs = 60_000 } = {}) {
  const told: CaseOutcome[] = [];
  const start = fakeService(fake);
  const onOutcome = (_: Case, outcome: CaseOutcome) => void told.push(outcome);
  return { told, session: await runCases({ start, cases, window, patienceMs, onOutcome }) };
}

describe('a session', () => {
  it('of a service that answers everything lacks nothing', async () => {
    const { told, session } = await run({});
    expect(told.map(({ number }) => number)).toEqual(cases.map(({ number }) => number));
    expect(session).toEqual({
      cases: 20,
      withoutOutcome: [],
      surplus: [],
      ending: 'exit 0',
      restarts,
    });
  });

  it('names the case that has no outcome', async () => {
    const { session } = await run({ outcomes: (number) => (number === 7 ? 0 : 1) });
    expect(session).toMatchObject({ cases: 20, withoutOutcome: [cases[7]], ending: 'exit 0' });
  });

  it('names the case that has two', async () => {
    const { session } = await run({ outcomes: (number) => (number === 7 ? 2 : 1) });
    expect(session.surplus).toMatchObject([{ number: 7 }]);
    expect(session.withoutOutcome).toEqual([]);
  });

  it('ends with the service, and names what was given to it last', async () => {
    const { session } = await run({ dies: { at: 9, how: 'SIGSEGV' } });
    expect(session).toMatchObject({ cases: 10, ending: 'SIGSEGV', restarts: null });
    expect(session.withoutOutcome).toEqual([cases[9]]);
  });

  it('gives up a service that stands still', async () => {
    const { session } = await run({ outcomes: () => 0 }, { patienceMs: 5 });
    expect(session).toMatchObject({ cases: 4, ending: 'SIGKILL' });
    expect(session.withoutOutcome).toEqual(cases.slice(0, 4));
  });
});
