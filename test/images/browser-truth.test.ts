/** Whether what is judged is what Chromium drew of the same files; `npm run browser-truth` makes the fixtures. */
import { beforeAll, describe, expect, it } from '@jest/globals';

import { compare } from '../../browser-truth/compare.ts';
import { loadFixtures } from '../../browser-truth/fixtures.ts';
import { judged } from '../../browser-truth/moderato.ts';
import { OUTLIERS } from '../../browser-truth/outliers.ts';
import { renderOutliers, type Row } from '../../browser-truth/table.ts';
import { isAlike } from '../../browser-truth/tolerances.ts';

const rows: Row[] = [];

beforeAll(async () => {
  for (const { name, group, bytes, animated, drawn } of await loadFixtures()) {
    rows.push({ name, group, comparison: compare(drawn, await judged(bytes, animated)) });
  }
}, 120_000);

describe('people see what is judged', () => {
  it('in at least 200 files, of every format that browsers show', () => {
    expect(rows.length).toBeGreaterThanOrEqual(200);
    const formats = new Set(rows.map(({ name }) => name.split('.').at(-1)));
    expect(formats).toEqual(new Set(['jpg', 'png', 'webp', 'gif', 'avif']));
  });

  it('in all of them but for the outliers that are known', () => {
    expect(renderOutliers(rows.filter(({ name }) => !OUTLIERS.has(name)))).toBe('');
  });

  it('and no known outlier has become alike', () => {
    const known = rows.filter(({ name }) => OUTLIERS.has(name));
    const alike = known.filter(({ comparison, group }) => isAlike(comparison, group));
    expect(alike.map(({ name }) => name)).toEqual([]);
  });

  it('and every known outlier is a file', () => {
    const names = new Set(rows.map(({ name }) => name));
    expect([...OUTLIERS.keys()].filter((name) => !names.has(name))).toEqual([]);
  });
});
