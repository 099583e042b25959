import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../src/events/types.generated.ts';
import { Reconciliation } from '../../src/reconcile/reconciliation.ts';
import type { ReconcileReport } from '../../src/reconcile/report.ts';
import { aNotInspectedVerdict, aPolicyResult, aVerdict } from '../support/builders.ts';
import { id, identified, input, range, verdictOf } from '../support/reconciled.ts';

const anotherVersion = { bundle: { version: 2, hash: 'another' } };

/** The range's first three offsets hold inputs; verdicts are found one after the other. */
async function report(
  verdicts: Verdict[],
  add: (it: Reconciliation) => void = () => undefined,
): Promise<ReconcileReport> {
  using reconciliation = new Reconciliation({ topic: 'images', ranges: [range], limit: 2 });
  for (const offset of [0, 1, 2]) reconciliation.addInput(0, offset);
  verdicts.forEach((verdict, offset) =>
    reconciliation.addVerdict(verdict, { topic: 'verdicts', partition: 3, offset }),
  );
  add(reconciliation);
  return await reconciliation.report(new Map([[0, 2]]));
}

const all = [verdictOf(0), verdictOf(1), verdictOf(2)];

describe('a reconciliation', () => {
  it('is proven when every input has a verdict', async () => {
    expect(await report(all)).toMatchObject({
      proven: true,
      ranges: [{ ...range, committed: 2 }],
      inputs: 3,
      verdicts: 3,
      duplicates: 0,
      missing: { count: 0, uncommitted: 0, first: [] },
      versions: [{ bundleHash: all[0]?.bundle.hash, verdicts: 3 }],
    });
  });

  it('names inputs without a verdict, and says which of them are not committed', async () => {
    expect(await report([verdictOf(1)])).toMatchObject({
      proven: false,
      missing: {
        count: 2,
        uncommitted: 1,
        first: [
          { input: input(0), committed: true },
          { input: input(2), committed: false },
        ],
      },
    });
  });

  it('calls the same answer once more a duplicate, whatever its scores and times', async () => {
    const again = verdictOf(1, {
      decidedAt: 5,
      policies: [aPolicyResult({ score: 0.9700001 })],
    });
    expect(await report([...all, again, again])).toMatchObject({
      proven: true,
      verdicts: 5,
      duplicates: 2,
      conflicting: { count: 0 },
    });
  });

  it.each([
    ['outcome', verdictOf(1, { outcome: 'allow' })],
    ["policy's band", verdictOf(1, { policies: [aPolicyResult({ band: 'review' })] })],
    ['version', verdictOf(1, { verdictId: id(1), ...anotherVersion })],
    ['id by the same version', verdictOf(1, { verdictId: id(99) })],
    ['id of another form', verdictOf(1, { verdictId: 'foreign' })],
  ])('calls another %s a contradiction', async (_, contradiction) => {
    expect(await report([...all, contradiction])).toMatchObject({
      proven: false,
      conflicting: {
        count: 1,
        first: [
          {
            input: input(1),
            verdicts: [
              { verdictId: id(1), at: { topic: 'verdicts', partition: 3, offset: 1 } },
              { verdictId: contradiction.verdictId, at: { offset: 3 } },
            ],
          },
        ],
      },
    });
  });

  it('lets several versions judge the same input, each under an id of its own', async () => {
    const later = [
      verdictOf(0, anotherVersion),
      verdictOf(1, { outcome: 'allow', ...anotherVersion }),
    ];
    expect(await report([...all, ...later])).toMatchObject({
      proven: true,
      duplicates: 0,
      rejudged: {
        count: 2,
        differing: 1,
        first: [{ outcomesDiffer: false }, { outcomesDiffer: true }],
      },
      versions: [{ verdicts: 3 }, { bundleHash: 'another', verdicts: 2 }],
    });
  });

  it('takes another way of looking at images for another version', async () => {
    const model = { ...aVerdict().model, preprocessing: 'another' };
    expect(await report([...all, verdictOf(0, { model, outcome: 'allow' })])).toMatchObject({
      proven: true,
      rejudged: { count: 1, differing: 1 },
      versions: [{ verdicts: 3 }, { preprocessing: 'another', verdicts: 1 }],
    });
  });

  it('tells apart what is unknown, outside of the range and of other topics', async () => {
    const strangers = [
      verdictOf(5),
      verdictOf(10),
      verdictOf(0, { input: { ...input(0), partition: 1 } }),
      verdictOf(0, { input: { ...input(0), topic: 'others' } }),
    ];
    expect(await report([...all, ...strangers])).toMatchObject({
      proven: true,
      verdicts: 4,
      unknown: { count: 1, first: [{ input: input(5), verdicts: [{ verdictId: id(5) }] }] },
      outside: 2,
      elsewhere: 1,
    });
  });

  it('asks for the dead letter of an event that could not be decoded', async () => {
    const undecodable = [1, 2].map((offset) =>
      identified(aNotInspectedVerdict({ input: input(offset) })),
    );
    const found = await report([verdictOf(0), ...undecodable], (it) => {
      it.addDeadLetter(input(2));
      it.addDeadLetter({ ...input(2), topic: 'others' });
    });
    expect(found).toMatchObject({
      proven: false,
      deadLetters: 1,
      withoutDeadLetter: { count: 1, first: [{ input: input(1) }] },
    });
  });

  it('counts what it cannot decode', async () => {
    const at = { topic: 'verdicts', partition: 0, offset: 7 };
    const found = await report(all, (it) => it.addUndecodable(at, new Error('no JSON')));
    expect(found).toMatchObject({
      proven: false,
      undecodable: { count: 1, first: [{ at, error: 'no JSON' }] },
    });
  });

  it('keeps as many of a kind as asked for and counts the rest', async () => {
    const { missing } = await report([]);
    expect([missing.count, missing.first.length]).toEqual([3, 2]);
  });

  it('stops when told to', async () => {
    using reconciliation = new Reconciliation({
      topic: 'images',
      ranges: [{ ...range, to: 100_000 }],
    });
    for (let offset = 0; offset < 100_000; offset += 1) reconciliation.addInput(0, offset);
    const stopped = reconciliation.report(new Map(), { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  });
});
