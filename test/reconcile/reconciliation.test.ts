import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../src/events/types.generated.ts';
import { verdictId } from '../../src/events/verdict-id.ts';
import { Reconciliation } from '../../src/reconcile/reconciliation.ts';
import type { ReconcileReport } from '../../src/reconcile/report.ts';
import { aNotInspectedVerdict, aPolicyResult, aVerdict } from '../support/builders.ts';

const range = { topic: 'images', partition: 0, from: 0, to: 10 };
const input = (offset: number) => ({ topic: 'images', partition: 0, offset });
/** Under the id that its input, event, model and bundle give it. */
function identified(verdict: Verdict, origin = verdict.input): Verdict {
  const { eventId, model, bundle } = verdict;
  const { hash: modelHash, preprocessing } = model;
  const hashes = { modelHash, preprocessing, bundleHash: bundle.hash };
  return { ...verdict, verdictId: verdictId({ eventId, ...origin, ...hashes }) };
}
const verdictOf = (offset: number, overrides: Partial<Verdict> = {}): Verdict => {
  const verdict = identified(aVerdict({ input: input(offset), ...overrides }));
  return { ...verdict, ...overrides };
};
const id = (offset: number) => verdictOf(offset).verdictId;
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
