/** The subject plays for most of the time, or flashes up once. */
import sharp from 'sharp';
import { covering, type Row, type Subject } from '../picture.ts';
import { SURROUNDINGS } from '../subjects.ts';

/** Frames of an animation: whether each shows the subject, and for how long, in ms. */
interface Scene {
  shows: boolean;
  ms: number;
}

const SIDE = 240;
const LONGEST = 60_000;

export const ANIMATIONS: readonly Row[] = [
  ...(['gif', 'webp'] as const).flatMap((format) => [
    row('60 s among six frames of 20 ms', format, (subject) =>
      animation(subject, format, scenes(7, [3], LONGEST)),
    ),
    row('34 of 40 frames, six others where they are sampled evenly', format, (subject) =>
      animation(subject, format, others(40, [0, 8, 16, 23, 31, 39])),
    ),
    row('one frame of 30, as long as the others', format, (subject) =>
      animation(subject, format, scenes(30, [17], 100)),
    ),
  ]),
];

function row(name: string, strength: string, make: Row['make']): Row {
  return { group: 'animation', name, strength, make };
}

function scenes(count: number, shown: readonly number[], ms: number): Scene[] {
  return Array.from({ length: count }, (_, at) =>
    shown.includes(at) ? { shows: true, ms } : { shows: false, ms: ms === LONGEST ? 20 : ms },
  );
}

function others(count: number, without: readonly number[]): Scene[] {
  return Array.from({ length: count }, (_, at) => ({ shows: !without.includes(at), ms: 50 }));
}

async function animation(
  { bytes }: Subject,
  format: 'gif' | 'webp',
  frames: readonly Scene[],
): Promise<Buffer> {
  const raw = async (photo: Buffer): Promise<Buffer> =>
    sharp(await covering(photo, SIDE, SIDE))
      .removeAlpha()
      .raw()
      .toBuffer();
  const [subject, other] = await Promise.all([raw(bytes), raw(SURROUNDINGS.flower)]);
  // Encoders drop a frame that equals the one before: a pixel tells them apart.
  const pixels = frames.map(({ shows }, at) => {
    const frame = Buffer.from(shows ? subject : other);
    frame[0] = at % 2 === 0 ? 0 : 255;
    frame[4] = at % 256;
    return frame;
  });
  const image = sharp(Buffer.concat(pixels), {
    raw: { width: SIDE, height: SIDE * frames.length, channels: 3, pageHeight: SIDE },
  });
  const delay = frames.map(({ ms }) => ms);
  return await image[format]({ delay, loop: 0, effort: 1 }).toBuffer();
}
