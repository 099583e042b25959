import { parsePositions, type LetterFilter } from '../dead-letters/filter.ts';
import { planRedrive, type RedrivePlan } from '../dead-letters/redrive-plan.ts';
import { redrive } from '../dead-letters/redrive.ts';
import { AppError } from '../errors.ts';
import { inputTopics } from '../topics.ts';
import { filterOf, type FilterOptions } from './letter-filter.ts';
import { openLetters } from './open-letters.ts';
import { progressBar, type Progress } from './progress.ts';
import { renderPlan, renderRedriven } from './render-letters.ts';

export interface RedriveLettersOptions extends FilterOptions {
  config: string;
  all?: true;
  topic?: string;
  dryRun?: true;
  json?: true;
}

/** `moderato dead-letters redrive`. Throws AppError `usage`, and what `redrive` does. */
export async function redriveLetters(
  texts: readonly string[],
  options: RedriveLettersOptions,
): Promise<void> {
  const filter = chosen(texts, options);
  const { source, loaded } = await openLetters(options.config);
  const inputs = inputTopics(loaded.config.topics);
  const asked = { ...source, filter, target: options.topic, inputs };
  const hasKey = source.redriveKey !== undefined;
  if (options.dryRun) {
    const plan = await planRedrive(asked);
    console.log(options.json ? planJson(plan, 0) : renderPlan(plan, { hasKey }));
    return;
  }
  let progress: Progress | undefined;
  let plan: RedrivePlan | undefined;
  let done = 0;
  try {
    await redrive({
      ...asked,
      compression: loaded.config.output.compression,
      onPlan: (made) => {
        plan = made;
        if (made.total > 0) progress = progressBar('redriving', made.total);
      },
      onRedriven: (count) => {
        done += count;
        progress?.step(count);
      },
    });
  } finally {
    progress?.end();
    // Also when it failed: what is redriven stays so.
    if (plan)
      console.log(options.json ? planJson(plan, done) : renderRedriven(plan, done, { hasKey }));
  }
}

/** What is to be redriven must be said: everything is a lot, and cannot be taken back. */
function chosen(texts: readonly string[], options: RedriveLettersOptions): LetterFilter {
  const filter = filterOf(options, Date.now());
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  if (texts.length > 0) {
    if (!isFiltered && !options.all) return { positions: parsePositions(texts) };
    throw new AppError(
      'usage',
      'redriving: positions say which dead letters are meant; give them without --code, --since, --until and --all',
    );
  }
  if (isFiltered || options.all) return filter;
  throw new AppError(
    'usage',
    'redriving: say which dead letters are meant, by positions (<partition>/<offset>), by --code, --since or --until, or with --all',
  );
}

function planJson(plan: RedrivePlan, redriven: number): string {
  return JSON.stringify({ ...plan, redriven });
}
