/** What the processes of the bench that need no Kafka have in common. */
import { readFileSync } from 'node:fs';
import { Gate } from '../../src/gate.ts';

export interface ChildSettings {
  /** Paths of the photos; the events take them in turn. */
  photos: readonly string[];
  /** How many events, those that warm up included. */
  events: number;
  /** A configuration as for `moderato run`. */
  configFile: string;
}

export interface ChildReport {
  /** ms since the epoch at which each event was done. */
  moments: number[];
}

export const settings = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;

const photos = settings.photos.map((file) => readFileSync(file));

/** The encoded image of an event. */
export function photoOf(event: number): Buffer {
  const photo = photos[event % photos.length];
  if (photo === undefined) throw new RangeError('there are no photos');
  return photo;
}

/** Works on the events' photos, so many at once, and notes when each was done. */
export async function onEachPhoto(
  atOnce: number,
  work: (photo: Buffer) => Promise<unknown>,
): Promise<number[]> {
  const moments: number[] = [];
  const gate = new Gate(atOnce);
  const events: Array<Promise<void>> = [];
  for (let event = 0; event < settings.events; event++) {
    await gate.enter();
    const done = work(photoOf(event)).then(() => void moments.push(now()));
    events.push(done.finally(() => gate.leave()));
  }
  await Promise.all(events);
  return moments;
}

export const now = (): number => performance.timeOrigin + performance.now();

export function report(moments: number[]): Promise<void> {
  const message: ChildReport = { moments };
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
