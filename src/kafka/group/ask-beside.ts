import { keyOf } from '../by-topic.ts';
import type { Positions } from './positions.ts';
import type { Reading } from './reading.ts';

type Readings = ReadonlyMap<string, Reading>;

/** Asks for what fetches do not tell: the ends of the partitions that are not fetched now, and who holds others back. */
export async function askBeside(positions: Positions, readings: Readings): Promise<void> {
  await Promise.all([findEnds(positions, readings), findProducers(positions, readings)]);
}

async function findEnds(positions: Positions, readings: Readings): Promise<void> {
  const idle = [...readings.values()].filter(({ isFetching }) => !isFetching);
  for (const { offset, ...partition } of await positions.logEnds(idle)) {
    const reading = readings.get(keyOf(partition));
    if (reading) reading.end = Math.max(reading.end ?? 0, offset);
  }
}

async function findProducers(positions: Positions, readings: Readings): Promise<void> {
  const held = [...readings.values()].filter(({ isHeldBack }) => isHeldBack);
  if (held.length === 0) return;
  const open = Map.groupBy(await positions.openTransactions(held), keyOf);
  for (const reading of held) {
    const [oldest] = (open.get(keyOf(reading)) ?? []).toSorted((a, b) => a.start - b.start);
    reading.openProducer = oldest?.producerId;
  }
}
