import { newBacklog, type BacklogShape, type Setup } from '../setup.ts';
import { lazy } from '../lazy.ts';
import type { Trial, TrialName } from '../trial.ts';
import { runService } from '../trials.ts';

const SIZES = {
  full: { few: 10_000, many: 100_000, partitioned: 20_000, warmUp: 2_000 },
  smoke: { few: 500, many: 2_000, partitioned: 500, warmUp: 100 },
};
const PARTITIONS = { few: 2, many: 16 };
/** A run takes long, and its length is what it is about. */
const ROUNDS = 2;

/**
 * (h) Whether the rate stays what it is when there are ten times the events, or eight times the partitions. The
 * pictures have been seen before, so that nothing but records, scores and verdicts is counted.
 */
export function growth(setup: Setup): Trial[] {
  const { few, many, partitioned, warmUp } = setup.options.smoke ? SIZES.smoke : SIZES.full;
  const trial = (name: TrialName, title: string, shape: Partial<BacklogShape>): Trial => {
    const backlog = lazy(async () => {
      const files = await setup.thumbnails();
      return newBacklog(setup, { events: partitioned, files, format: 'avro', ...shape });
    });
    return {
      name,
      title,
      rounds: ROUNDS,
      run: async () => {
        const settings = { dedupe: {}, model: { path: await setup.tinyModel() } };
        return await runService(await setup.stage(), await backlog(), warmUp, settings);
      },
    };
  };
  const count = (events: number): string => `${events.toLocaleString('en')} events of 1 kB`;
  return [
    trial('events-10k', `${count(few)}, pictures seen before`, { events: few }),
    trial('events-100k', `${count(many)}, pictures seen before`, { events: many }),
    trial('partitions-2', `${count(partitioned)} in 2 partitions`, { partitions: PARTITIONS.few }),
    trial('partitions-16', `${count(partitioned)} in 16`, { partitions: PARTITIONS.many }),
  ];
}
