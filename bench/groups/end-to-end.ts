import { lazy } from '../lazy.ts';
import { configWithoutKafka, newBacklog, type Setup } from '../setup.ts';
import { WARM_UP, type Settings } from '../stage.ts';
import type { Trial, TrialName } from '../trial.ts';
import { runChild, runService, type ChildProgram } from '../trials.ts';

/** What is over sooner takes so many times the events. */
export const MORE = 5;

/** (a) The service, what its parts do by themselves, and what codec and runtime allow. */
export function endToEnd(setup: Setup): Trial[] {
  const { options, photos } = setup;
  const { files } = photos;
  const events = options.events + WARM_UP;
  const avro = lazy(() => newBacklog(setup, { events, files, format: 'avro' }));
  // Each photo is inspected while the service warms up; its verdicts come so fast that there must be more of them.
  const long = lazy(() => newBacklog(setup, { events: events * MORE, files, format: 'avro' }));
  const service =
    (backlog: typeof avro, settings: Settings = {}): Trial['run'] =>
    async () =>
      await runService(await setup.stage(), await backlog(), WARM_UP, settings);
  return [
    { name: 'service', title: 'Moderato over Kafka', run: service(() => setup.backlog()) },
    { name: 'avro', title: 'the same, events in Avro', run: service(avro) },
    {
      name: 'exactly-once',
      title: 'the same, exactly once',
      rounds: 2,
      run: service(() => setup.backlog(), { delivery: 'exactly-once' }),
    },
    {
      name: 'repeated',
      title: 'the same in Avro, pictures seen before',
      rounds: 2,
      run: service(long, { dedupe: {} }),
    },
    child(setup, 'pipeline', 'its pipeline, no Kafka'),
    child(setup, 'inspector', 'its decoders, batches and scores only'),
    child(setup, 'bare', 'its codec and runtime, nothing around them'),
    child(setup, 'bare-per-core', 'the same, each core for itself'),
    {
      name: 'known',
      title: 'its cache and scores only, pictures seen before',
      run: async () => {
        const configFile = await configWithoutKafka(setup, { dedupe: {} });
        return await runChild('inspector', { photos: files, configFile }, options.events * MORE);
      },
    },
  ];
}

/** A row that is a program of bench/children of the same name. */
export function child(setup: Setup, name: ChildProgram & TrialName, title: string): Trial {
  const { photos, options } = setup;
  const configFile = lazy(() => configWithoutKafka(setup));
  return {
    name,
    title,
    run: async () =>
      await runChild(
        name,
        { photos: photos.files, configFile: await configFile() },
        options.events,
      ),
  };
}
