import { lazy } from '../lazy.ts';
import { newBacklog, type Setup } from '../setup.ts';
import { PARTITIONS, type Backlog } from '../stage.ts';
import type { Measurement, Trial, TrialName } from '../trial.ts';
import { runService } from '../trials.ts';

const SIZES = {
  full: { few: 10_000, partitioned: 20_000, warmUp: 2_000 },
  smoke: { few: 200, partitioned: 500, warmUp: 64 },
};
/** A run takes long, and its length is what it is about. */
const ROUNDS = 2;

/**
 * (h) Whether the rate stays what it is when there are ten times the events, or eight times the partitions. The
 * pictures have been seen before, so that nothing but records, scores and verdicts is counted.
 */
export function growth(setup: Setup): Trial[] {
  const { few, partitioned, warmUp } = setup.options.smoke ? SIZES.smoke : SIZES.full;
  const seenBefore = (backlog: () => Promise<Backlog>) => async (): Promise<Measurement> => {
    const settings = { dedupe: {}, model: { path: await setup.tinyModel() } };
    return await runService(await setup.stage(), await backlog(), warmUp, settings);
  };
  const backlogOf = (events: number, partitions = PARTITIONS): (() => Promise<Backlog>) =>
    lazy(async () => {
      const files = await setup.thumbnails();
      return newBacklog(setup, { events, files, format: 'avro', partitions });
    });
  const rows: Array<[TrialName, string, () => Promise<Backlog>]> = [
    [
      'events-10k',
      `${few.toLocaleString('en')} events of 1 kB, pictures seen before`,
      backlogOf(few),
    ],
    ['events-100k', 'ten times as many', () => setup.manySmall()],
    [
      'partitions-2',
      `${partitioned.toLocaleString('en')} in 2 partitions`,
      backlogOf(partitioned, 2),
    ],
    [
      'partitions-16',
      `${partitioned.toLocaleString('en')} in 16 partitions`,
      backlogOf(partitioned, 16),
    ],
  ];
  return rows.map(([name, title, backlog]) => ({
    name,
    title,
    rounds: ROUNDS,
    run: seenBefore(backlog),
  }));
}
