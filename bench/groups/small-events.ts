import { lazy } from '../lazy.ts';
import { newBacklog, type Setup } from '../setup.ts';
import { WARM_UP } from '../stage.ts';
import type { Trial } from '../trial.ts';
import { runService } from '../trials.ts';
import { MORE } from './end-to-end.ts';

/** (d) What an event costs when its image costs next to nothing. */
export function smallEvents(setup: Setup): Trial[] {
  const events = (setup.options.events + WARM_UP) * MORE;
  const backlog = lazy(async () =>
    newBacklog(setup, { events, files: await setup.thumbnails(), format: 'json' }),
  );
  const trial = (
    name: 'small' | 'small-exactly-once',
    delivery: 'at-least-once' | 'exactly-once',
  ): Trial => ({
    name,
    title: `events of 1 kB, tiny random model, ${delivery}`,
    run: async () => {
      const settings = { delivery, model: { path: await setup.tinyModel() } };
      return await runService(await setup.stage(), await backlog(), WARM_UP, settings);
    },
  });
  return [trial('small', 'at-least-once'), trial('small-exactly-once', 'exactly-once')];
}
