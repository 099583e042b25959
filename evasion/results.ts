import type { FalseAlarms } from './harmless.ts';
import { intervalOf } from './harmless.ts';
import type { Trial } from './trial.ts';

/** A row may be so much less like its subject than in the kept run: batches change the last digits. */
const SLACK = 0.02;

/** The trials as a table in Markdown: a line for each row, a column for each subject. */
export function renderTrials(trials: readonly Trial[], subjects: readonly string[]): string {
  const rows = Map.groupBy(trials, ({ group, name, strength }) =>
    [group, name, strength].join('|'),
  );
  const lines = [...rows].map(([key, ofRow]) => {
    const [, name = '', strength = ''] = key.split('|');
    const cells = subjects.map((subject) => {
      const trial = ofRow.find((one) => one.subject === subject);
      return trial ? `${trial.outcome} ${marginText(trial.margin)}` : '';
    });
    const inferences = Math.max(...ofRow.map((trial) => trial.inferences));
    return `| ${name} | ${strength} | ${cells.join(' | ')} | ${inferences} |`;
  });
  const head = `| hidden by | strength | ${subjects.join(' | ')} | inferences |`;
  const rule = `| --- | --- |${' --- |'.repeat(subjects.length + 1)}`;
  return [head, rule, ...lines].join('\n');
}

function marginText(margin: number | null): string {
  if (margin === null) return '';
  return `${margin < 0 ? '−' : '+'}${Math.abs(margin).toFixed(2)}`;
}

/** One line: how many were found. */
export function renderScore(trials: readonly Trial[]): string {
  const found = trials.filter(isFound).length;
  return `found: ${found} of ${trials.length} (${((100 * found) / trials.length).toFixed(1)} %)`;
}

/** Blocked or for a person to see; what is not inspected is not let through either. */
export function isFound({ outcome }: Trial): boolean {
  return outcome !== 'allow';
}

export function renderFalseAlarms(counted: FalseAlarms): string {
  const { photos, alarms, refused, inferences } = counted;
  const [low, high] = intervalOf(alarms.length, photos).map((share) => (100 * share).toFixed(1));
  const share = ((100 * alarms.length) / photos).toFixed(1);
  return [
    `false alarms: ${alarms.length} of ${photos} harmless photos (${share} %, 95 % interval ${low}–${high} %)`,
    `inferences per photo: ${(inferences / photos).toFixed(2)}; refused: ${refused}`,
  ].join('\n');
}

/**
 * The rows whose subject is seen less of than in the kept run. Likeness is compared and no score: another model score or
 * another bundle leaves it as it is.
 */
export function worseThan(kept: readonly Trial[], trials: readonly Trial[]): string[] {
  return trials.flatMap((trial) => {
    const before = kept.find(
      ({ name, strength, subject }) =>
        name === trial.name && strength === trial.strength && subject === trial.subject,
    );
    if (before?.likeness === undefined || before.likeness === null) return [];
    if (trial.likeness !== null && trial.likeness >= before.likeness - SLACK) return [];
    const now = trial.likeness?.toFixed(3) ?? 'not inspected';
    return [
      `${trial.name} ${trial.strength}, ${trial.subject}: likeness ${now}, was ${before.likeness.toFixed(3)}`,
    ];
  });
}
