import { eventMaker, fill } from '../image-events.ts';
import type { Setup } from '../setup.ts';
import { WARM_UP } from '../stage.ts';
import { runService } from '../trials.ts';
import type { BacklogRow, Row } from '../results.ts';

const TIMES = 5;

/**
 * (g) The service's memory while its events wait, as measured already or now, and while five times as many do. Leaves
 * the longer backlog behind.
 */
export async function memoryByBacklog(
  setup: Setup,
  service: Row | undefined,
): Promise<BacklogRow[]> {
  const stage = await setup.stage();
  const backlog = await setup.backlog();
  const run = async (): Promise<BacklogRow> => {
    const { rate, usage } = await runService(stage, backlog, WARM_UP);
    setup.say(`${backlog.events} events waiting: ${rate.toFixed(0)} events/s`);
    return { events: backlog.events, rate, usage };
  };
  const short = service?.rate
    ? { events: backlog.events, rate: service.rate.median, usage: service.usage }
    : await run();
  const make = await eventMaker(setup.photos.files, 'json');
  await fill(stage.kafka, backlog, { events: (TIMES - 1) * backlog.events, make });
  return [short, await run()];
}
