/** What the processes of the bench that need no Kafka have in common. */
import { readFileSync } from 'node:fs';

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
