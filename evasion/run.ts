/** `npm run evasion`: hides a subject in every way that is known here, and shows which are seen through. */
import { readFile, writeFile } from 'node:fs/promises';
import { packageFile } from '../src/package-files.ts';
import { countFalseAlarms } from './harmless.ts';
import { createJudge, type Judge } from './judge.ts';
import { parseOptions } from './options.ts';
import { renderFalseAlarms, renderScore, renderTrials, worseThan } from './results.ts';
import { ROWS } from './rows.ts';
import { SUBJECTS } from './subjects.ts';
import { tryRow, type Trial } from './trial.ts';

const KEPT = packageFile('evasion/kept.json');
const options = parseOptions(process.argv);

{
  await using judge = await createJudge(options.views);
  const trials = await tryRows(judge);
  const subjects = SUBJECTS.map(({ name }) => name);
  console.log(
    `${renderTrials(trials, subjects)}\n\n${renderScore(trials)}, views: ${options.views}`,
  );
  if (options.harmless.length > 0) {
    const counted = await countFalseAlarms(options.harmless, judge);
    console.log(`${counted.alarms.join('\n')}\n${renderFalseAlarms(counted)}`);
  }
  if (options.write) await writeFile(KEPT, `${JSON.stringify(trials.map(rounded), null, 1)}\n`);
  if (options.check) {
    const worse = worseThan(JSON.parse(await readFile(KEPT, 'utf8')) as Trial[], trials);
    console.log(
      worse.length === 0 ? 'No row is worse than it was.' : `WORSE:\n${worse.join('\n')}`,
    );
    process.exitCode = worse.length === 0 ? 0 : 1;
  }
}

async function tryRows(judge: Judge): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const subject of SUBJECTS) {
    const { views } = await judge.judge(subject.bytes);
    for (const row of ROWS) trials.push(await tryRow(row, subject, judge, views));
  }
  return trials;
}

/** Digits that are the same on every machine. */
function rounded({ likeness, margin, ...trial }: Trial): Trial {
  const round = (value: number | null): number | null =>
    value === null ? null : Number(value.toFixed(3));
  return { ...trial, margin: round(margin), likeness: round(likeness) };
}
