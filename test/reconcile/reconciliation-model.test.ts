import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome, Verdict } from '../../src/events/types.generated.ts';
import { Reconciliation } from '../../src/reconcile/reconciliation.ts';
import { aNotInspectedVerdict, aVerdict } from '../support/builders.ts';

const PARTITIONS = 2;
const OFFSETS = 6;

/** One verdict: of an input, by a version, with an id and an outcome out of very few. */
const aFoundVerdict = fc.record({
  partition: fc.nat(PARTITIONS - 1),
  offset: fc.nat(OFFSETS), // one of them outside of the range
  version: fc.nat(1),
  id: fc.nat(1),
  outcome: fc.constantFrom<Outcome>('allow', 'block', 'not_inspected'),
});
type FoundVerdict = typeof aFoundVerdict extends fc.Arbitrary<infer T> ? T : never;

const positions = fc
  .uniqueArray(fc.nat(PARTITIONS * OFFSETS - 1))
  .map((all) =>
    all
      .sort((a, b) => a - b)
      .map((n) => ({ partition: Math.floor(n / OFFSETS), offset: n % OFFSETS })),
  );

function asVerdict({ partition, offset, version, id, outcome }: FoundVerdict): Verdict {
  return (outcome === 'not_inspected' ? aNotInspectedVerdict : aVerdict)({
    verdictId: String(id).padStart(32, '0'),
    input: { topic: 'images', partition, offset },
    outcome,
    bundle: { version, hash: `bundle ${version}` },
  });
}

interface Position {
  partition: number;
  offset: number;
}

const keyOf = ({ partition, offset }: Position) => `${partition}/${offset}`;

/** The same, written down as it is defined. */
function naively(inputs: Position[], verdicts: FoundVerdict[], letters: Position[]) {
  const known = verdicts.filter(({ offset }) => offset < OFFSETS);
  const byInput = Map.groupBy(known, keyOf);
  const answersTo = (input: Position) => byInput.get(keyOf(input)) ?? [];
  const differ = (values: unknown[]) => new Set(values).size > 1;
  const conflicts = (input: Position) =>
    answersTo(input).some((a) =>
      answersTo(input).some((b) =>
        a.id === b.id
          ? a.version !== b.version || a.outcome !== b.outcome
          : a.version === b.version,
      ),
    );
  const isInput = new Set(inputs.map(keyOf));
  const isLetter = new Set(letters.map(keyOf));
  const rejudged = inputs.filter(
    (input) => !conflicts(input) && differ(answersTo(input).map(({ id }) => id)),
  );
  return {
    inputs: inputs.length,
    verdicts: known.length,
    outside: verdicts.length - known.length,
    missing: inputs.filter((input) => answersTo(input).length === 0).map(keyOf),
    conflicting: inputs.filter(conflicts).map(keyOf),
    rejudged: rejudged.map(keyOf),
    differing: rejudged.filter((input) => differ(answersTo(input).map((each) => each.outcome)))
      .length,
    unknown: [...byInput.keys()].filter((key) => !isInput.has(key)).sort(),
    withoutDeadLetter: inputs
      .filter(
        (input) =>
          !isLetter.has(keyOf(input)) &&
          answersTo(input).some(({ outcome }) => outcome === 'not_inspected'),
      )
      .map(keyOf),
    duplicates: inputs
      .map((input) => answersTo(input))
      .map((answers) => answers.length - new Set(answers.map((each) => JSON.stringify(each))).size)
      .reduce((sum, count) => sum + count, 0),
  };
}

it('agrees with its definition, whatever is missing, doubled or contradictory', async () => {
  await fc.assert(
    fc.asyncProperty(
      positions,
      fc.array(aFoundVerdict, { maxLength: 25 }),
      positions,
      async (inputs, verdicts, letters) => {
        const ranges = [0, 1].map((partition) => ({
          topic: 'images',
          partition,
          from: 0,
          to: OFFSETS,
        }));
        using reconciliation = new Reconciliation({ topic: 'images', ranges, limit: 100 });
        for (const { partition, offset } of inputs) reconciliation.addInput(partition, offset);
        verdicts.forEach((verdict, offset) =>
          reconciliation.addVerdict(asVerdict(verdict), { topic: 'v', partition: 0, offset }),
        );
        for (const letter of letters) reconciliation.addDeadLetter({ topic: 'images', ...letter });
        const report = await reconciliation.report(new Map());
        const keys = (findings: { first: Array<{ input: Position }> }) =>
          findings.first.map(({ input }) => keyOf(input));
        expect({
          inputs: report.inputs,
          verdicts: report.verdicts,
          outside: report.outside,
          missing: keys(report.missing),
          conflicting: keys(report.conflicting),
          rejudged: keys(report.rejudged),
          differing: report.rejudged.differing,
          unknown: keys(report.unknown),
          withoutDeadLetter: keys(report.withoutDeadLetter),
          duplicates: report.duplicates,
        }).toEqual(naively(inputs, verdicts, letters));
      },
    ),
    { numRuns: 300 },
  );
});
