import { eventMaker, fill } from './image-events.ts';
import { newTopic, PARTITIONS, type Backlog, type Stage } from './stage.ts';
import { readLog } from './verdict-log.ts';

const EVENTS = 400;
const ROUNDS = 8;

/** A broker that has just been started compiles its code, beside whoever is measured first: it does so here. */
export async function warmUpBroker(stage: Stage): Promise<void> {
  const make = await eventMaker(stage.photos.files, 'avro');
  for (let round = 0; round < ROUNDS; round++) {
    const topic = await newTopic(stage, 'warm-up');
    const backlog: Backlog = { topic, partitions: PARTITIONS, events: 0 };
    await fill(stage.kafka, backlog, { events: EVENTS, make });
    await readLog(stage.kafka, topic, EVENTS, () => Promise.resolve());
  }
}
