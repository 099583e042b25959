import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../src/events/types.generated.ts';
import { Reconciliation } from '../../src/reconcile/reconciliation.ts';
import type { ReconcileReport } from '../../src/reconcile/report.ts';
import { aVerdict } from '../support/builders.ts';
import { id, identified, input, range, verdictOf } from '../support/reconciled.ts';

describe('the origins of inputs', () => {
  const proven = { attempts: 1, isProven: true };
  const claim = (origin: number, overrides = {}) => ({
    origin: input(origin),
    ...proven,
    ...overrides,
  });

  /** Inputs 0 to 3; the last ones name their origins. */
  async function withClaims(
    claims: Array<Parameters<Reconciliation['addInput']>[2]>,
    verdicts: Verdict[],
    add: (it: Reconciliation) => void = () => undefined,
  ): Promise<ReconcileReport> {
    const ranges = [{ ...range, to: 4 }];
    using reconciliation = new Reconciliation({ topic: 'images', ranges });
    [undefined, undefined, ...claims].forEach((each, at) => reconciliation.addInput(0, at, each));
    verdicts.forEach((verdict, offset) =>
      reconciliation.addVerdict(verdict, { topic: 'verdicts', partition: 0, offset }),
    );
    add(reconciliation);
    return await reconciliation.report(new Map());
  }
  const asOrigin = (offset: number, origin: number) =>
    identified(aVerdict({ input: input(offset) }), input(origin));

  it('let a redriven record have the id of its origin: by the key’s proof, or by a note', async () => {
    const verdicts = [verdictOf(0), verdictOf(1), asOrigin(2, 0), asOrigin(3, 1)];
    const claims = [claim(0), claim(1, { isProven: false })];
    const noted = (it: Reconciliation) => it.addNote(input(3));
    expect(await withClaims(claims, verdicts, noted)).toMatchObject({
      proven: true,
      redriven: 2,
      unprovenOrigins: { count: 0 },
      foreignIds: { count: 0 },
    });
  });

  it('let a redriven record have an id of its own, as without a key', async () => {
    const verdicts = [0, 1, 2, 3].map((offset) => verdictOf(offset));
    expect(await withClaims([claim(0), claim(1)], verdicts)).toMatchObject({
      proven: true,
      redriven: 2,
    });
  });

  it('are named where nothing proves them, and do no harm', async () => {
    const verdicts = [0, 1, 2, 3].map((offset) => verdictOf(offset));
    const forged = claim(0, { isProven: false });
    expect(await withClaims([forged, undefined], verdicts)).toMatchObject({
      proven: true,
      redriven: 0,
      unprovenOrigins: {
        count: 1,
        first: [{ input: input(2), origin: input(0), attempts: 1 }],
      },
    });
  });

  it('do not excuse one verdict id at two inputs where nothing proves them', async () => {
    const verdicts = [verdictOf(0), verdictOf(1), asOrigin(2, 0), asOrigin(3, 1)];
    const claims = [claim(0, { isProven: false }), undefined];
    expect(await withClaims(claims, verdicts)).toMatchObject({
      proven: false,
      foreignIds: {
        count: 2,
        first: [
          {
            input: input(2),
            verdictId: id(0),
            at: { topic: 'verdicts', partition: 0, offset: 2 },
            belongsTo: input(0),
          },
          { input: input(3), verdictId: id(1), belongsTo: null },
        ],
      },
    });
  });

  it('are wrong where two inputs come from one after as many attempts', async () => {
    const verdicts = [verdictOf(0), verdictOf(1), asOrigin(2, 0), asOrigin(3, 0)];
    expect(await withClaims([claim(0), claim(0)], verdicts)).toMatchObject({
      proven: false,
      wrongOrigins: {
        count: 2,
        first: [
          {
            input: input(2),
            origin: input(0),
            why: expect.stringContaining('images/0/3') as unknown,
          },
          {
            input: input(3),
            origin: input(0),
            why: expect.stringContaining('images/0/2') as unknown,
          },
        ],
      },
    });
    const again = claim(0, { attempts: 2 });
    expect(await withClaims([claim(0), again], verdicts)).toMatchObject({ proven: true });
  });

  it.each([
    ['past the end', { ...input(0), offset: 4 }, 'ends at 4'],
    ['in a partition that there is not', { ...input(0), partition: 7 }, 'no partition 7'],
    ['at the record itself', input(2), 'does not lie before'],
  ])('are wrong where they lie %s', async (_, origin, why) => {
    const verdicts = [0, 1, 2, 3].map((offset) => verdictOf(offset));
    expect(await withClaims([{ origin, ...proven }, undefined], verdicts)).toMatchObject({
      proven: false,
      wrongOrigins: { count: 1, first: [{ why: expect.stringContaining(why) as unknown }] },
    });
  });

  it('may lie in another topic', async () => {
    const verdicts = [0, 1, 2, 3].map((offset) => verdictOf(offset));
    const elsewhere = { origin: { topic: 'uploads', partition: 9, offset: 9 }, ...proven };
    expect(await withClaims([elsewhere, undefined], verdicts)).toMatchObject({ proven: true });
  });
});
