import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { lazy } from '../lazy.ts';
import { SERVICE_PROCESS } from '../service-process.ts';
import { newBacklog, type Setup } from '../setup.ts';
import { WARM_UP } from '../stage.ts';
import { runStream } from '../stream-trial.ts';
import type { Measurement, Trial } from '../trial.ts';
import { runService, serviceTrial } from '../trials.ts';
import { MORE } from './end-to-end.ts';

/** Until the code of the service is compiled. */
const WARM_UP_MANY = { full: 20_000, smoke: 500 };
const ROUNDS = 2;
/** The default of 64 is for images that take milliseconds; records are bounded in bytes too. */
const MAX_IN_FLIGHT = 1_000;
/** Of a verdict on the seven policies of the demo, in JSON. */
const VERDICT_BYTES = 3_600;

/** (d) What an event costs when its image costs next to nothing, or nothing. */
export function smallEvents(setup: Setup): Trial[] {
  const few = lazy(async () =>
    newBacklog(setup, {
      events: (setup.options.events + WARM_UP) * MORE,
      files: await setup.thumbnails(),
      format: 'json',
    }),
  );
  const warmUp = setup.options.smoke ? WARM_UP_MANY.smoke : WARM_UP_MANY.full;
  const tiny = (
    name: 'small' | 'small-exactly-once',
    delivery: 'at-least-once' | 'exactly-once',
  ): Trial => ({
    name,
    title: `events of 1 kB, tiny random model, ${delivery}`,
    rounds: ROUNDS,
    run: async () => {
      const settings = { delivery, model: { path: await setup.tinyModel() } };
      return await runService(await setup.stage(), await few(), WARM_UP, settings);
    },
  });
  const zeroCost = async (): Promise<Measurement> => {
    const trial = serviceTrial(
      await setup.stage(),
      await setup.manySmall(),
      warmUp,
      { pipeline: { maxInFlight: MAX_IN_FLIGHT } },
      (configFile) => [programOf('zero-cost'), configFile],
    );
    return await runStream({ ...trial, role: 'zero-cost' });
  };
  const loop = async (): Promise<Measurement> => {
    const stage = await setup.stage();
    const backlog = await setup.manySmall();
    return await runStream({
      stage,
      backlog,
      role: 'kafkajs-loop',
      warmUp,
      command: (output) => {
        const groupId = `kafkajs-loop-${randomUUID()}`;
        const { brokers } = stage;
        const settings = { brokers, groupId, input: backlog.topic, output, bytes: VERDICT_BYTES };
        const { execArgv, env } = SERVICE_PROCESS;
        const args = [...execArgv, programOf('kafkajs-loop'), JSON.stringify(settings)];
        return Promise.resolve({ args, env });
      },
    });
  };
  return [
    tiny('small', 'at-least-once'),
    tiny('small-exactly-once', 'exactly-once'),
    {
      name: 'zero-cost',
      title: 'the service, decoder and encoder at no cost',
      rounds: ROUNDS,
      run: zeroCost,
    },
    {
      name: 'kafkajs-loop',
      title: 'kafkajs: consume, produce, nothing else',
      rounds: ROUNDS,
      run: loop,
    },
  ];
}

const programOf = (name: string): string =>
  fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url));
