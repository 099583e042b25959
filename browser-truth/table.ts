import type { Comparison } from './compare.ts';
import { OUTLIERS } from './outliers.ts';
import { isAlike } from './tolerances.ts';

export interface Row {
  name: string;
  group: string;
  comparison: Comparison;
}

/** The groups as a table in Markdown. */
export function renderGroups(rows: readonly Row[]): string {
  const lines = [...Map.groupBy(rows, ({ group }) => group)].map(([group, members]) => {
    const alike = members.filter((row) => isAlike(row.comparison, row.group));
    const measured = alike.flatMap(({ comparison }) =>
      comparison.kind === 'both' ? [comparison] : [],
    );
    const mean = measured.reduce((sum, each) => sum + each.mean, 0) / Math.max(1, measured.length);
    const highest = Math.max(0, ...measured.map((each) => each.highest));
    const cells = [group, members.length, alike.length, mean.toFixed(2), highest];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| group | files | alike | mean difference of these | highest |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** A line for each file that people see differently. */
export function renderOutliers(rows: readonly Row[]): string {
  return rows
    .filter((row) => !isAlike(row.comparison, row.group))
    .map(({ name, comparison }) => {
      return `${name}: ${render(comparison)} (${OUTLIERS.get(name) ?? 'no reason known'})`;
    })
    .join('\n');
}

function render(comparison: Comparison): string {
  switch (comparison.kind) {
    case 'both':
      return `${comparison.mean.toFixed(2)} levels on average, ${comparison.highest} at most`;
    case 'other-size':
      return `${comparison.shown} shown, ${comparison.judged} judged`;
    case 'refused':
      return `shown, but ${comparison.code}`;
    case 'neither':
    case 'not-shown':
      return 'not shown';
  }
}
