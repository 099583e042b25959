import { createHmac } from 'node:crypto';

/** What is known of a frame before it is looked at. */
export interface Scene {
  /** How long it is shown, in ms. */
  durationMs: number;
  /** The frame in a few pixels: `[edge, edge, 3]`; equally long in all frames. */
  thumbnail: Uint8Array;
}

/** The mean difference of two thumbnails, in levels of 255, from which they show something else. */
const OTHER_SCENE = 12;
/** Frames are compared with so many different ones; later ones count as the nearest of them. */
const MOST_SCENES = 64;
/** Browsers show a frame that is to take no longer than this for 100 ms. */
const HURRIED_MS = 10;
const SHOWN_FOR_MS = 100;

/** Frames that look alike. */
interface Group {
  thumbnail: Uint8Array;
  frames: number[];
  durationMs: number;
}

/**
 * At most `most` frames of an animation to look at, ascending. Frames that look alike are one scene. The longest frame of
 * the longest scene is always among them; then come the other scenes, the longest first, each by a frame drawn by how
 * long it is shown; and where there are fewer scenes than looks, frames drawn from the whole. The last of these choices
 * follow from `seed` alone: without the secret behind it, it cannot be told which frames are not looked at.
 */
export function chooseFrames(scenes: readonly Scene[], most: number, seed: string): number[] {
  const durations = scenes.map(({ durationMs }) => shownFor(durationMs));
  if (scenes.length <= most) return [...scenes.keys()];
  const draw = createDraw(seed);
  const groups = groupsOf(scenes, durations).toSorted((a, b) => b.durationMs - a.durationMs);
  const chosen = new Set<number>();
  // The last look goes to a scene that nobody can make too short to be looked at.
  const certain = groups.splice(0, Math.max(1, most - 1));
  for (const [rank, { frames }] of certain.entries()) {
    chosen.add(rank === 0 ? longestOf(frames, durations) : drawFrame(frames, durations, draw));
  }
  while (chosen.size < most) {
    const group = groups.splice(Math.floor(draw() * groups.length), 1)[0];
    const others = (group?.frames ?? [...scenes.keys()]).filter((frame) => !chosen.has(frame));
    chosen.add(drawFrame(others, durations, draw));
  }
  return [...chosen].toSorted((a, b) => a - b);
}

/** How long browsers show a frame that says so. */
export function shownFor(durationMs: number): number {
  return durationMs <= HURRIED_MS ? SHOWN_FOR_MS : durationMs;
}

function groupsOf(scenes: readonly Scene[], durations: readonly number[]): Group[] {
  const groups: Group[] = [];
  for (const [frame, { thumbnail }] of scenes.entries()) {
    const durationMs = durations[frame] as number;
    const [nearest, distance] = nearestOf(groups, thumbnail);
    if (nearest === null || (distance > OTHER_SCENE && groups.length < MOST_SCENES)) {
      groups.push({ thumbnail, frames: [frame], durationMs });
    } else {
      nearest.frames.push(frame);
      nearest.durationMs += durationMs;
    }
  }
  return groups;
}

function nearestOf(groups: readonly Group[], thumbnail: Uint8Array): [Group | null, number] {
  let nearest: Group | null = null;
  let least = Infinity;
  for (const group of groups) {
    const distance = distanceOf(group.thumbnail, thumbnail);
    if (distance < least) [nearest, least] = [group, distance];
  }
  return [nearest, least];
}

function distanceOf(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum / a.length;
}

function longestOf(frames: readonly number[], durations: readonly number[]): number {
  const lengthOf = (frame: number): number => durations[frame] as number;
  return frames.reduce((best, frame) => (lengthOf(frame) > lengthOf(best) ? frame : best));
}

/** One of the frames, as probable as it is long. */
function drawFrame(
  frames: readonly number[],
  durations: readonly number[],
  draw: () => number,
): number {
  const total = frames.reduce((sum, frame) => sum + (durations[frame] as number), 0);
  let rest = draw() * total;
  for (const frame of frames) {
    rest -= durations[frame] as number;
    if (rest < 0) return frame;
  }
  return frames.at(-1) as number;
}

/** Numbers from 0 to 1 that follow from the seed alone. */
function createDraw(seed: string): () => number {
  let count = 0;
  return () =>
    createHmac('sha256', seed).update(String(count++)).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** Pages of a document, which are not played: at most `most`, the first and the last, the others evenly between. */
export function choosePages(total: number, most: number): number[] {
  const count = Math.min(total, most);
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, i) => Math.round((i * (total - 1)) / (count - 1)));
}
